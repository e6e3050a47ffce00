import { join } from 'node:path'
import { systemClock } from '#base/clock.ts'
import { openLocalEngine } from '#media/engine/local.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { onEndRequest, refuseToWork, tellReady } from '#server/keeper/child.ts'
import { callIn } from '#server/demo-carrier/outside-call.ts'
import { listenForOrders } from '#server/demo-carrier/control.ts'
import { ringOutside } from '#server/demo-carrier/outside-phone.ts'
import type { Party } from '#server/demo-carrier/party.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import { openLog } from '#server/log.ts'
import { readSettings } from '#server/settings.ts'
import { ListenError } from '#sip/transport/port-taken.ts'

/**
 * A small simulated carrier on loopback: the outside world of a system that has no real trunk yet. Calls that the exchange sends out reach
 * simulated phones; `centrala call` lets somebody call in from outside.
 */
const loopback = '127.0.0.1'
const mediaPorts = 200

const project = join(import.meta.dirname, '..', '..')
const settings = readSettings({ environment: process.env, project })
const log = openLog(settings.log.level)
const clock = systemClock
const random = machineRandom()
const { port, firstMediaPort } = settings.demoCarrier

try {
  await serve()
} catch (fault) {
  if (!(fault instanceof ListenError) && !(fault instanceof Error && fault.name === 'EngineRefused')) throw fault
  refuseToWork(fault.message)
}

async function serve(): Promise<void> {
  const engine = await openLocalEngine({
    range: {
      addresses: [loopback],
      first: firstMediaPort,
      last: firstMediaPort + mediaPorts - 1,
      settings: 'CENTRALA_DEMO_CARRIER_RTP_FIRST_PORT',
    },
    folder: settings.folders.data,
  })
  const needs = { clock, random, media: engine.media, addresses: { localNetworks: [], media: () => loopback } }
  const lines = new Set<Party>()
  const at = [{ address: loopback, port, setting: 'CENTRALA_DEMO_CARRIER_PORT' }]
  const { agent } = simpleAgent({
    clock,
    random,
    log,
    listen: { udp: at, tcp: at },
    product: 'Centrala demo carrier',
    onInvite: (incoming) => {
      let party: Party | null = null
      party = ringOutside(needs, incoming, { sound: null, onOver: () => void (party !== null && lines.delete(party)) })
      if (party !== null) lines.add(party)
    },
  })
  await agent.start()
  const route = { exchange: { transport: 'udp' as const, address: loopback, port: settings.sip.port }, domain: `${loopback}:${port}` }
  const control = await listenForOrders(join(settings.folders.run, 'carrier.sock'), (wanted, reply) => {
    const call = callIn({ ...needs, sip: agent }, route, wanted, (noticed) => reply({ kind: 'noticed', noticed }))
    reply({ kind: 'started', callId: call.callId })
    void call.done.then(({ tape }) => reply({ kind: 'done', tape }))
    return call.obey
  })
  const ending = onEndRequest(() => {
    control.close()
    for (const party of lines) party.hangUp()
    void agent.close().then(async () => {
      await engine[Symbol.asyncDispose]()
      ending[Symbol.dispose]()
      process.exit(0)
    })
  })
  tellReady()
}

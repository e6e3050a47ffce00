import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'

// Who takes emergency calls, in a thread of its own: told when a call came. See overload.test.ts.

const { address, port, sdp } = workerData as { address: string; port: number; sdp: string }
const body = { contentType: 'application/sdp', bytes: Buffer.from(sdp) }
const { agent } = simpleAgent({
  ...{ clock: systemClock, random: machineRandom(), log: silentLog, product: 'help' },
  listen: { udp: [{ address, port, setting: 'test' }] },
  onInvite: (incoming) => {
    parentPort?.postMessage('call')
    incoming.accept(body, { onEnded: () => undefined } as never)
  },
})
await agent.start()
parentPort?.postMessage('ready')

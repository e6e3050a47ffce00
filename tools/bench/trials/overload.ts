import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import type { Body, InviteDialog } from '#sip/agent.ts'
import type { Agent } from '#sip/agent/agent.ts'
import { devices, domain, farEnd, numbers, passwordOf } from '#tools/bench/company.ts'
import { answerCalls, flood } from '#tools/bench/load.ts'
import { inHand } from '#tools/bench/trials/figures.ts'
import type { Trial } from '#tools/bench/trials/trial.ts'
import { beatFor, Talker } from '#test/survival/talker.ts'

const address = '127.0.23.1'
/** The rate that the system is set to take: what one core of a slow machine holds beside its database. */
const rated = 100
/** Offered one after the other to find the most that is completed. */
const steps = [rated, rated * 1.25, rated * 1.5]
const stepSeconds = 10
const inDialogEveryMs = 250
const emergencyEveryMs = 1_000
/** So many calls in a row succeed: it has recovered. */
const enough = 20

/** Of calls that are over before anybody speaks. */
const nobodySpeaks = audioAt(9)

/** Ten times the calls that it is set to take, for minutes: how many are completed meanwhile, what belongs to calls, emergency calls, and how soon all is well. */
export const overload: Trial = {
  name: 'overload',
  settings: { CENTRALA_CALLS_PER_SECOND: String(rated) },
  async run({ system, load }, { seconds = 300, say }) {
    const { agent } = simpleAgent({
      ...{ clock: systemClock, random: machineRandom(), log: silentLog, product: 'probe' },
      listen: { udp: [{ address, port: 5090, setting: 'probe' }] },
      onInvite: (incoming) => incoming.reject(486),
    })
    await agent.start()
    using far = answerCalls(load)
    void far
    const via = viaOf(system.target)
    say(`| offered | completed each second |\n|---|---|`)
    let peak = 0
    for (const rate of steps) {
      const { completed } = await flood(load, { number: numbers.answer, rate, seconds: stepSeconds })
      say(`| ${rate}/s | ${completed.toFixed(0)} |`)
      peak = Math.max(peak, completed)
      await pause(2_000)
    }
    // Who holds a call speaks: it would be taken for dead otherwise.
    using talker = await Talker.open(address)
    using beat = beatFor([talker])
    void beat
    const body = audioAt(talker.port)
    const held = await call(agent, via, { to: numbers.answer, body })
    if (typeof held === 'string') throw new Error(`no call to hold: ${held}`)
    talker.peer = held.audio
    const before = await inHand(system)
    const stop = new AbortController()
    const rate = rated * 10
    const [{ completed, offered }, inDialog, emergency] = await Promise.all([
      flood(load, { number: numbers.answer, rate, seconds }).finally(() => stop.abort()),
      again(stop.signal, inDialogEveryMs, () => reinvite(held.dialog, body)),
      again(stop.signal, emergencyEveryMs, () => emergencyCall(agent, via)),
    ])
    const recoveredMs = await recovery(agent, via)
    const { shed } = await inHand(system)
    say(`| ${offered.toFixed(0)}/s for ${seconds} s | ${completed.toFixed(0)}, ${((completed / peak) * 100).toFixed(0)} % of the peak |`)
    say(`\nPeak ${peak.toFixed(0)}/s. Wanted ${rate}/s, offered ${offered.toFixed(0)}/s; ${shed - before.shed} refused at the door.`)
    say(
      `In dialogs ${shown(inDialog)}; emergency calls ${shown(emergency)}; ${enough} calls in a row succeed from ${(recoveredMs / 1000).toFixed(1)} s after the end on.`,
    )
    held.dialog.bye()
    await agent.close()
  },
}

interface Tried {
  well: number
  failed: Record<string, number>
}

function shown({ well, failed }: Tried): string {
  const bad = Object.values(failed).reduce((sum, count) => sum + count, 0)
  return `${well} of ${well + bad}${bad === 0 ? '' : ` (${JSON.stringify(failed)})`}`
}

/** Tries until it is told to stop, one after the other. */
async function again(signal: AbortSignal, everyMs: number, attempt: () => Promise<string | null>): Promise<Tried> {
  const tried: Tried = { well: 0, failed: {} }
  while (!signal.aborted) {
    const why = await attempt()
    if (why === null) tried.well++
    else tried.failed[why] = (tried.failed[why] ?? 0) + 1
    await pause(everyMs)
  }
  return tried
}

async function recovery(agent: Agent, via: Via): Promise<number> {
  const startedAt = performance.now()
  let since = startedAt
  for (let inRow = 0; inRow < enough; ) {
    const begun = performance.now()
    const talk = await call(agent, via, { to: numbers.answer })
    if (typeof talk === 'string') inRow = 0
    else {
      talk.dialog.bye()
      if (inRow++ === 0) since = begun
    }
    await pause(50)
  }
  return since - startedAt
}

type Via = { transport: 'udp'; address: string; port: number }

function viaOf(target: string): Via {
  const [host = '', port = ''] = target.split(':')
  return { transport: 'udp', address: host, port: Number(port) }
}

function reinvite(dialog: InviteDialog, body: Body): Promise<string | null> {
  return new Promise((resolve) =>
    dialog.reinvite(body, (result, acknowledge) => {
      const ok = result.kind === 'response' && result.status === 200
      if (ok) acknowledge()
      resolve(ok ? null : result.kind === 'response' ? String(result.status) : result.why)
    }),
  )
}

async function emergencyCall(agent: Agent, via: Via): Promise<string | null> {
  const [user = ''] = devices
  const talk = await call(agent, via, { to: '112', credentials: { user, password: passwordOf(user) } })
  if (typeof talk === 'string') return talk
  talk.dialog.bye()
  return null
}

/** An offer of A-law, from here. */
function audioAt(port: number): Body {
  const sdp = ['v=0', `o=x 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', `m=audio ${port} RTP/AVP 8`, '']
  return { contentType: 'application/sdp', bytes: Buffer.from(sdp.join('\r\n')) }
}

interface Asked {
  to: string
  credentials?: { user: string; password: string }
  body?: Body
}

/** `audio`: where it wants ours. */
interface Talk {
  dialog: InviteDialog
  audio: { address: string; port: number }
}

/** Why it failed, or the call. */
function call(agent: Agent, via: Via, { to, credentials, body = nobodySpeaks }: Asked): Promise<Talk | string> {
  const from = credentials === undefined ? `<sip:+441632960555@${farEnd.address}>` : `<sip:${credentials.user}@${domain}>`
  const host = credentials === undefined ? via.address : domain
  return new Promise((resolve) => {
    agent.invite(
      { uri: `sip:${to}@${host}`, from, to: `<sip:${to}@${host}>`, via, body, ...(credentials !== undefined && { credentials }) },
      {
        onAnswered: (response, dialog) => {
          dialog.acknowledge()
          const text = Buffer.from(bodyOf(response)?.bytes ?? []).toString()
          resolve({ dialog, audio: { address: via.address, port: Number(/^m=audio (\d+)/m.exec(text)?.[1]) } })
        },
        onFailed: (failure) => resolve(failure.kind === 'response' ? String(failure.status) : failure.why),
        dialog: { onReinvite: (_request, reply) => reply.accept(body), onEnded: () => undefined },
      },
    )
  })
}

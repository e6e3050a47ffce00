import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '#contract/api/operation.ts'
import type { Clock, Millis } from '#base/clock.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { LegMedia } from '#calls/leg-media.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import { readSound } from '#media/file/read-sound.ts'
import type { InviteDialog } from '#sip/agent.ts'
import { formatHostPort } from '#sip/message/host.ts'
import type { EchoLine } from '#server/doctor/echo-line.ts'
import { bad, well } from '#server/doctor/findings.ts'

export interface EchoNeeds {
  readonly clock: Clock
  readonly calls: CallNeeds
  readonly echo: EchoLine
  /** For recordings of half a second, deleted at once. */
  readonly folder: string
}

/** Long enough for the tone to be told from noise. */
const listenMs = 600
/** An answer of our own that takes longer is none. */
const patienceMs = 5_000
/** Of the tone that is played: the European dial tone (ITU-T E.180 supplement 2). */
const toneHz = 425
/** Of sounds as `readSound` gives them. */
const pcmRateHz = 8_000

/**
 * The system calls itself, by a real INVITE to its own SIP port at `at`, plays a tone, and hears it come back: by SIP, offer and answer, the media
 * engines and the network, as every call does.
 */
export async function echoCall({ clock, calls, echo, folder }: EchoNeeds, at: { address: string; port: number }): Promise<Finding> {
  const check = `echo call over ${at.address.includes(':') ? 'IPv6' : 'IPv4'}`
  const file = join(folder, `doctor-${calls.random.hex(6)}.wav`)
  const media = LegMedia.open(calls, { peer: at.address })
  if (media === null) return bad(check, 'no media port is free', 'Widen CENTRALA_RTP_FIRST_PORT to CENTRALA_RTP_LAST_PORT.')
  using line = echo.expect()
  const begun = clock.now()
  let dialog: InviteDialog | null = null
  try {
    const answered = await callLine(calls, media, { uri: `sip:${line.user}@${formatHostPort(at.address, at.port)}`, at })
    if (typeof answered === 'string')
      return bad(
        check,
        `the call to ourselves failed: ${answered}`,
        'Look at the log, and whether a firewall of this machine drops UDP: phones get no further either.',
      )
    dialog = answered
    const answerMs = Math.round(clock.now() - begun)
    const failure = (await listen(clock, media, file)) ?? (await recognise(file))
    return failure === null
      ? well(check, `answered in ${answerMs} ms; the tone that was sent came back and was recognised`)
      : bad(
          check,
          `answered in ${answerMs} ms, but ${failure}`,
          'Look at the engine’s lines in the log, and whether a firewall of this machine drops UDP on the RTP ports.',
        )
  } finally {
    dialog?.bye()
    media.close()
    await rm(file, { force: true })
    await rm(`${file}.json`, { force: true })
  }
}

/** The dialog, once the call is answered and its audio flows; else what went wrong. */
function callLine(
  { sip }: CallNeeds,
  media: LegMedia,
  { uri, at }: { uri: string; at: { address: string; port: number } },
): Promise<InviteDialog | string> {
  const { promise, resolve } = Promise.withResolvers<InviteDialog | string>()
  sip.invite(
    {
      uri,
      from: 'sip:doctor@localhost',
      to: uri,
      via: { transport: 'udp', ...at },
      body: media.offer(),
      timeoutMs: patienceMs,
      silenceMs: patienceMs,
    },
    {
      onAnswered(response, dialog) {
        const answer = bodyOf(response)
        const outcome = answer === null ? { why: 'the answer has no session description' } : media.accept(answer)
        dialog.acknowledge()
        if (outcome !== 'ok') dialog.bye()
        resolve(outcome === 'ok' ? dialog : outcome.why)
      },
      onFailed: (failure) => resolve(failure.kind === 'response' ? `${failure.status} ${failure.reason}` : failure.detail),
      dialog: { onReinvite: (_request, reply) => reply.reject(488), onEnded: () => undefined },
    },
  )
  return promise
}

/** Plays the tone and records what is heard; null when that is on disk. */
async function listen(clock: Clock, media: LegMedia, file: string): Promise<string | null> {
  const recorded = Promise.withResolvers<string | null>()
  using _limit = clock.after(listenMs + patienceMs, () => recorded.resolve('nothing was recorded'))
  media.attach({ onRecorded: () => recorded.resolve(null), onRecordFailed: (_file, cause) => recorded.resolve(cause) })
  const recording = media.endpoint.record(file, { format: 'wav', only: 'received' })
  media.endpoint.play([{ kind: 'tone', tone: 'dial' }])
  await pause(clock, listenMs)
  recording.stop()
  return recorded.promise
}

function pause(clock: Clock, ms: Millis): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

/** Null when the tone is in the recording; else what is there instead. */
async function recognise(file: string): Promise<string | null> {
  const sound = await readSound(file)
  if (sound.kind !== 'sound') return 'the recording of the tone cannot be read'
  const share = shareOf(sound.pcm, (2 * Math.PI * toneHz) / pcmRateHz)
  return share > 0.3 ? null : `a tone was sent and ${Math.round(100 * share)} % of what came back is that tone`
}

/** How much of the energy is at one frequency, 0 to 1 (Goertzel). */
export function shareOf(samples: ArrayLike<number>, omega: number): number {
  let [before, beforeThat, energy] = [0, 0, 0]
  const factor = 2 * Math.cos(omega)
  for (let index = 0; index < samples.length; index++) {
    const sample = samples[index] ?? 0
    energy += sample * sample
    const now = sample + factor * before - beforeThat
    beforeThat = before
    before = now
  }
  const power = before * before + beforeThat * beforeThat - factor * before * beforeThat
  return energy === 0 ? 0 : Math.min(1, (2 * power) / (samples.length * energy))
}

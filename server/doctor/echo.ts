import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '#contract/api/operation.ts'
import type { Clock } from '#base/clock.ts'
import type { Endpoint, EndpointEvents, MediaEngine, SocketAddress, StreamParams } from '#media/engine.ts'
import { readSound } from '#media/file/read-sound.ts'
import { bad, well } from '#server/doctor/findings.ts'

export interface EchoNeeds {
  clock: Clock
  media: MediaEngine
  /** For a recording of half a second, deleted at once. */
  folder: string
}

/** Long enough for the tone to be told from noise. */
const listenMs = 600
/** Of the tone that is played: the European dial tone (ITU-T E.180 supplement 2). */
const toneHz = 425
/** Of sounds as `readSound` gives them. */
const pcmRateHz = 8_000
const todo = 'Look at the engine’s lines in the log, and whether a firewall of this machine drops UDP on loopback.'

/** Audio by the whole way of real calls: a tone from one port of the media engines through the network to another, recorded there and recognised. */
export async function examineAudio({ clock, media, folder }: EchoNeeds): Promise<Finding[]> {
  const file = join(folder, `doctor-${Math.floor(clock.wall())}.wav`)
  const recorded = Promise.withResolvers<string | null>()
  const limit = clock.after(listenMs + 5_000, () => recorded.resolve('nothing was recorded'))
  const hears: EndpointEvents = {
    onRecorded: () => recorded.resolve(null),
    onRecordFailed: (_file, cause) => recorded.resolve(cause),
  }
  const [from, to] = [media.open({}), media.open(hears)]
  try {
    if (from === null || to === null)
      return [bad('audio', 'no media port is free', 'Widen CENTRALA_RTP_FIRST_PORT to CENTRALA_RTP_LAST_PORT.')]
    from.aim(streamTo(reachable(to)))
    to.aim(streamTo(reachable(from)))
    const recording = to.record(file, { format: 'wav', only: 'received' })
    from.play([{ kind: 'tone', tone: 'dial' }])
    await new Promise<void>((resolve) => void clock.after(listenMs, resolve))
    recording.stop()
    const failure = (await recorded.promise) ?? (await recognise(file))
    return [
      failure === null
        ? well('audio', 'a tone sent through the engine and the network came back and was recognised')
        : bad('audio', failure, todo),
    ]
  } finally {
    limit[Symbol.dispose]()
    from?.close()
    to?.close()
    await rm(file, { force: true })
    await rm(`${file}.json`, { force: true })
  }
}

function reachable({ local }: Endpoint): SocketAddress {
  if (local.address === '0.0.0.0') return { address: '127.0.0.1', port: local.port }
  return local.address === '::' ? { address: '::1', port: local.port } : local
}

function streamTo(remote: SocketAddress): StreamParams {
  const plain = { codec: 'PCMA', payloadType: 8, dtmfPayloadType: null, direction: 'sendrecv', ptimeMs: 20, silenceMs: 0 } as const
  return { remote, rtcp: null, accept: { mode: 'exact' }, ...plain }
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

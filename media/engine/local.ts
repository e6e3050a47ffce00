import { type Clock, systemClock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import { type Log, silentLog } from '#base/log.ts'
import { MediaClient } from '#media/engine/client.ts'
import { fileSounds } from '#media/engine/file-sounds.ts'
import { EngineHost, type ServerLine } from '#media/engine/host.ts'
import type { Dial } from '#media/engine/link.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import type { Event } from '#media/engine/protocol.ts'
import { type SoundReader, Sounds } from '#media/engine/sounds.ts'
import { PortStock, type PortRange } from '#media/engine/stock.ts'
import type { Recorder } from '#media/record/recorder.ts'
import { WorkerRecorder } from '#media/record/worker-recorder.ts'
import { machineBinder } from '#media/socket/machine-binder.ts'
import type { PairBinder } from '#media/socket/socket.ts'

/** What an engine is made of. Left out: the machine's own. */
export interface EngineParts {
  range: PortRange
  /** Where relative file names begin. */
  folder: string
  /** Whose call-progress tones (media/tone/plan.ts). */
  country?: string
  clock?: Clock
  random?: Random
  log?: Log
  binder?: PairBinder
  sounds?: SoundReader
  recorder?: Recorder
}

/** An engine cannot work before a person changes something: `message` says what. */
export class EngineRefused extends Error {
  override name = 'EngineRefused'
}

/** An engine with its first ports bound. Throws EngineRefused. */
export async function openHost(parts: EngineParts): Promise<EngineHost> {
  const { clock = systemClock, random = machineRandom(), log = silentLog } = parts
  const binder = parts.binder ?? (await machineBinder(log))
  const stock = new PortStock({ clock, log, binder, range: parts.range, below: (limit) => random.below(limit) })
  const refusal = await stock.open()
  if (refusal !== null) {
    stock.close()
    throw new EngineRefused(refusal)
  }
  const sounds = new Sounds(parts.sounds ?? fileSounds(parts.folder), parts.country ?? 'eu')
  return new EngineHost({ clock, random, log, stock, sounds, recorder: parts.recorder ?? new WorkerRecorder(log), folder: parts.folder })
}

/** A media engine in this process, behind the face of one in another. */
export interface LocalEngine extends AsyncDisposable {
  readonly media: MediaClient
  readonly host: EngineHost
}

/** Opens an engine in this process: for tests and for command-line tools. Throws EngineRefused. Disposing closes everything, children first. */
export async function openLocalEngine(parts: EngineParts): Promise<LocalEngine> {
  const host = await openHost(parts)
  const { clock = systemClock, random = machineRandom(), log = silentLog } = parts
  const media = new MediaClient({ clock, random, log }, [dialHost(host)])
  // The greeting takes a few turns of the microtask queue, no time.
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  return {
    media,
    host,
    async [Symbol.asyncDispose]() {
      await host.core.close()
      media.close()
    },
  }
}

/** Reaches an engine in this process: commands act at once, events come in a later microtask, in order. */
export function dialHost(host: EngineHost): Dial {
  return (events) => {
    let waiting: Event[] = []
    let over = false
    const deliver = (): void => {
      const now = waiting
      waiting = []
      for (const event of now) events.message(event)
    }
    const line: ServerLine = {
      send(event) {
        if (waiting.push(event) === 1) queueMicrotask(deliver)
      },
      end() {
        if (over) return
        over = true
        queueMicrotask(() => events.gone('ended'))
      },
    }
    queueMicrotask(() => events.up())
    return {
      send: (command) => host.take(line, command),
      end: () => host.lost(line),
    }
  }
}

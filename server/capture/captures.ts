import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Call } from '#calls/call.ts'
import type { Fact, NewFact } from '#contract/facts.ts'
import { type CapturedPacket, readPcapng } from '#media/capture/pcapng.ts'
import type { CaptureTerms } from '#media/capture/packet-capture.ts'
import type { EndpointId, KeptEndpoint } from '#media/engine.ts'

export interface CaptureNeeds {
  clock: Clock
  log: Log
  /** Where engines write: `<folder>/<company>/<call>/<leg>-<n>.pcapng`. */
  folder: string
  media: { capture(endpoint: KeptEndpoint, terms: CaptureTerms | null): void }
  /** A live call of a company. */
  call: (tenant: string, id: string) => Call | null
  /** Our address as a peer sees it. */
  addressTowards: (remote: string) => string
  tell: (fact: NewFact) => void
}

export interface CaptureWish {
  /** The payloads, too, not only headers. */
  audio: boolean
  maxMs: Millis
  /** Who asks: kept in the timeline of the call. */
  by: string
}

/** Of one leg. Five minutes of G.711 both ways with all headers are 19 MB. */
const maxBytes = 32_000_000
/** Calls captured at the same time. */
const mostAtOnce = 10
/** Files are deleted after so long. */
const keptMs: Millis = 7 * 24 * 3_600_000

interface Capturing {
  call: Call
  wish: CaptureWish
  until: Millis
  /** Endpoint ids that are captured already. */
  endpoints: Map<EndpointId, KeptEndpoint>
  timer: Disposable
}

/** Packet captures of live calls: every leg the call has, and gets while the capture runs, in the engine that carries it. */
export class Captures {
  readonly #needs: CaptureNeeds
  readonly #running = new Map<string, Capturing>()
  #files = 0

  constructor(needs: CaptureNeeds) {
    this.#needs = needs
  }

  /** Starts to capture, or goes on with these wishes; null when there is no such live call, `full` when too many are captured. */
  start(tenant: string, id: string, wish: CaptureWish): { until: number } | 'full' | null {
    const { clock } = this.#needs
    const call = this.#needs.call(tenant, id)
    if (call === null) return null
    this.stop(tenant, id)
    if (this.#running.size >= mostAtOnce) return 'full'
    const timer = clock.after(wish.maxMs, () => this.stop(tenant, id))
    const capturing: Capturing = { call, wish, until: clock.now() + wish.maxMs, endpoints: new Map(), timer }
    this.#running.set(id, capturing)
    const until = clock.wall() + wish.maxMs
    this.#needs.tell({ kind: 'call.captured', tenant, call: id, by: wish.by, audio: wish.audio, until })
    this.#needs.log.info('capturing packets', { call: id, audio: wish.audio, by: wish.by, ms: wish.maxMs })
    this.#captureLegs(capturing)
    return { until }
  }

  /** Ends it; false when nothing was captured. */
  stop(tenant: string, id: string): boolean {
    const capturing = this.#running.get(id)
    if (capturing === undefined || capturing.call.identity.tenant !== tenant) return false
    this.#running.delete(id)
    capturing.timer[Symbol.dispose]()
    for (const endpoint of capturing.endpoints.values()) this.#needs.media.capture(endpoint, null)
    return true
  }

  /** Follows a captured call: new legs are captured, too, and its end ends the capture. */
  hear(fact: Fact): void {
    if (this.#running.size === 0 || fact.call === undefined) return
    const capturing = this.#running.get(fact.call)
    if (capturing === undefined) return
    if (fact.kind === 'call.ended') this.stop(fact.tenant, fact.call)
    else if (fact.kind === 'leg.started' || fact.kind === 'leg.answered') this.#captureLegs(capturing)
  }

  /** The packets captured of a call, as far as they are on disk. */
  async packets(tenant: string, id: string): Promise<CapturedPacket[]> {
    const folder = this.#folderOf(tenant, id)
    const names = await readdir(folder).catch(() => [])
    const files = await Promise.all(names.map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))))
    return files.flatMap(readPcapng)
  }

  /** Deletes what is older than a week. */
  async prune(): Promise<void> {
    const { folder, clock } = this.#needs
    for (const company of await readdir(folder).catch(() => [])) {
      for (const call of await readdir(join(folder, company)).catch(() => [])) {
        const path = join(folder, company, call)
        const found = await stat(path).catch(() => null)
        if (found !== null && found.mtimeMs < clock.wall() - keptMs) await rm(path, { recursive: true, force: true })
      }
    }
  }

  #captureLegs(capturing: Capturing): void {
    const { call, wish, endpoints } = capturing
    for (const leg of call.legs) {
      const endpoint = leg.media.endpoint.keep()
      if (endpoints.has(endpoint.id) || leg.state === 'ended') continue
      endpoints.set(endpoint.id, endpoint)
      const { address } = endpoint.local
      const peer = endpoint.stream?.remote?.address ?? '127.0.0.1'
      this.#needs.media.capture(endpoint, {
        file: join(
          this.#folderOf(call.identity.tenant, call.id),
          `${leg.id}-${++this.#files}-${Math.floor(this.#needs.clock.wall())}.pcapng`,
        ),
        address: address === '0.0.0.0' || address === '::' ? this.#needs.addressTowards(peer) : address,
        audio: wish.audio,
        maxBytes,
        maxMs: Math.max(0, capturing.until - this.#needs.clock.now()),
      })
    }
  }

  #folderOf(tenant: string, id: string): string {
    // Ids of calls are ours; one that came over the network must not lead elsewhere.
    return join(this.#needs.folder, encodeURIComponent(tenant), /^[\w-]+$/.test(id) ? id : 'unknown')
  }
}

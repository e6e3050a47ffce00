import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock, Millis } from '#base/clock.ts'
import { udpPacket } from '#media/capture/ip-packet.ts'
import { packetBlock, pcapngHeader } from '#media/capture/pcapng.ts'
import type { SocketAddress } from '#media/engine.ts'
import type { PacketSocket, PortPair } from '#media/socket/socket.ts'

/** What is captured of one endpoint, and for how long. */
export interface CaptureTerms {
  /** Written anew; relative names begin in the engine's folder. */
  file: string
  /** Our address as the peer sees it, where the socket is bound to all of them. */
  address: string
  /** The payloads, too: who reads the file can listen. Otherwise only headers. */
  audio: boolean
  maxBytes: number
  maxMs: Millis
}

/** IP, UDP, RTP with 15 contributing sources: where audio begins at the latest is told by the packet itself. */
const ipAndUdpBytes = 28
const rtpHeaderBytes = 12
/** So much may wait for the disk; packets beyond are left out. */
const mostWaiting = 1_048_576

/**
 * Writes what goes through one pair of ports to a pcapng file, as it is on the wire, strangers' packets included, until a limit of bytes or
 * time. Never throws and never waits: what the disk does not take in time is left out and counted.
 */
export class PacketCapture implements Disposable {
  /** Packets that the disk did not take. */
  shed = 0
  readonly #terms: CaptureTerms
  readonly #pair: PortPair
  readonly #clock: Clock
  readonly #out: WriteStream
  readonly #zero: number
  readonly #until: Millis
  #bytes = 0
  #ended = false

  constructor(clock: Clock, pair: PortPair, terms: CaptureTerms) {
    this.#terms = terms
    this.#pair = pair
    this.#clock = clock
    // One reading of the wall clock: packets keep their distances, whatever happens to it.
    this.#zero = clock.wall() - clock.now()
    this.#until = clock.now() + terms.maxMs
    this.#out = openFile(terms.file)
    this.#out.on('error', () => this[Symbol.dispose]())
    this.#out.write(pcapngHeader())
    for (const socket of [pair.rtp, pair.rtcp])
      socket.overhear = (direction, packet, remote) => this.#take(socket, { direction, packet, remote })
  }

  /** Stops listening; what was taken still goes to the disk. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#ended) return
    this.#ended = true
    this.#pair.rtp.overhear = null
    this.#pair.rtcp.overhear = null
    this.#out.end()
  }

  #take(socket: PacketSocket, heard: { direction: 'in' | 'out'; packet: Uint8Array; remote: SocketAddress }): void {
    const now = this.#clock.now()
    if (now >= this.#until || this.#bytes >= this.#terms.maxBytes) {
      this[Symbol.dispose]()
      return
    }
    if (this.#out.writableLength > mostWaiting) {
      this.shed++
      return
    }
    const { direction, packet, remote } = heard
    const ours = { address: this.#terms.address, port: socket.local.port }
    const route = direction === 'in' ? { from: remote, to: ours } : { from: ours, to: remote }
    const whole = udpPacket(route, packet)
    const kept = this.#terms.audio || socket === this.#pair.rtcp ? whole : whole.subarray(0, headerBytes(whole, packet))
    const written = packetBlock({ at: this.#zero + now, bytes: kept, wireBytes: whole.length })
    this.#bytes += written.length
    this.#out.write(written)
  }
}

/** Up to where a packet says nothing of what was said: the RTP header and, of a telephone-event, nothing of the digit. */
function headerBytes(whole: Buffer, packet: Uint8Array): number {
  const contributing = (packet[0] ?? 0) & 0x0f
  const ip = whole.length - packet.length
  return Math.min(whole.length, Math.max(ip, ipAndUdpBytes) + Math.min(packet.length, rtpHeaderBytes + 4 * contributing))
}

function openFile(file: string): WriteStream {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  } catch {
    // The stream will say so.
  }
  return createWriteStream(file, { mode: 0o600 })
}

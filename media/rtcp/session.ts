import type { Millis } from '#base/clock.ts'
import type { OutgoingStream } from '#media/rtp/outgoing.ts'
import type { Reception } from '#media/rtp/reception.ts'
import { nextScratch } from '#media/rtp/scratch.ts'
import { BYE, RECEIVER_REPORT, type ReportBlock, type RtcpPacket, SENDER_REPORT, SOURCE_DESCRIPTION } from '#media/rtcp/parse.ts'

/** Between reports, before it is randomised (RFC 3550 §6.2, §6.3.1). */
export const REPORT_INTERVAL_MS: Millis = 5000

/** What a randomised interval is divided by: e - 3/2 (RFC 3550 §6.3.1). */
export const COMPENSATION = 1.21828

/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_EPOCH_SECONDS = 2_208_988_800

const CNAME = 1

/** So many packets of ours of which none arrived are no coincidence. */
const UNHEARD_PACKETS = 50
/** The most that a report can say was lost, of 256. */
const ALL_LOST = 0xff

const NOWHERE = { sequence: -1, packets: 0, moves: false }

/** One endpoint's half of the reporting: what the peer says of our stream, and our reports. No socket, no clock. */
export class RtcpSession {
  readonly #description: Buffer
  /** The peer's last sender report, to be echoed (LSR, DLSR); the middle of its NTP time and when it came. */
  #lastReport: { ssrc: number; ntpMiddle: number; at: Millis } | null = null
  /** Packets of ours that the peer misses; null until it reports. */
  remoteLost: number | null = null
  roundTripMs: Millis | null = null
  /** Share of our packets that the peer lost between its last two reports. */
  lossPercent = 0
  /** What the peer reports of our stream, over the whole of it; jitter in ticks of its timestamps. `discarded`: share that came too late to be played. */
  remote: { lost: number; jitterTicks: number; discarded: number } | null = null
  #packetsAtReport = 0
  /** The furthest of our packets that the peer reports, and how many we had sent when it first did. `moves`: it got further once, so that it does count. */
  #reached = NOWHERE

  /** `cname`: names this end of the stream, random (RFC 7022 §4.2). */
  constructor(cname: string) {
    this.#description = descriptionOf(cname)
  }

  /** Takes what the peer reports. A BYE ends nothing: that is for the signalling to say. */
  take(packets: readonly RtcpPacket[], own: Pick<OutgoingStream, 'ssrc' | 'packets'>, when: { now: Millis; wall: number }): void {
    const { now, wall } = when
    for (const packet of packets) {
      if (packet.kind === 'sender-report') this.#lastReport = { ssrc: packet.ssrc, ntpMiddle: packet.ntpMiddle, at: now }
      if (packet.kind === 'voip-metrics' && packet.ssrc === own.ssrc && this.remote !== null)
        this.remote = { ...this.remote, discarded: packet.discardRate / 256 }
      if (packet.kind !== 'sender-report' && packet.kind !== 'receiver-report') continue
      for (const report of packet.reports) if (report.ssrc === own.ssrc) this.#judge(report, own.packets, wall)
    }
  }

  /** Forgets the peer: another one may answer now. */
  reset(): void {
    this.#lastReport = null
    this.remoteLost = null
    this.remote = null
    this.lossPercent = 0
    this.roundTripMs = null
    this.#reached = NOWHERE
  }

  /** Our stream begins anew, under another SSRC: what was reported of the last one does not count for it. The line is still the same. */
  renew(): void {
    this.remoteLost = null
    this.remote = null
    this.#reached = NOWHERE
    this.#packetsAtReport = 0
  }

  /** A compound packet: sender report if anything was sent since the last one, else receiver report; source description; BYE at the end. */
  compose(sent: OutgoingStream, received: Reception, when: { now: Millis; wall: number }, bye = false): Buffer {
    const { now, wall } = when
    const isSender = sent.packets > this.#packetsAtReport
    this.#packetsAtReport = sent.packets
    const report = received.report()
    const head = isSender ? 28 : 8
    const reportsEnd = head + (report === null ? 0 : 24)
    const descriptionEnd = reportsEnd + this.#description.length
    const packet = nextScratch(descriptionEnd + (bye ? 8 : 0))
    writeHead(packet, 0, { type: isSender ? SENDER_REPORT : RECEIVER_REPORT, count: report === null ? 0 : 1, bytes: reportsEnd })
    write32(packet, 4, sent.ssrc)
    if (isSender) writeSenderInfo(packet, sent, now, wall)
    if (report !== null) this.#writeReport(packet, head, report, now)
    packet.set(this.#description, reportsEnd)
    write32(packet, reportsEnd + 4, sent.ssrc)
    if (bye) {
      writeHead(packet, descriptionEnd, { type: BYE, count: 1, bytes: 8 })
      write32(packet, descriptionEnd + 4, sent.ssrc)
    }
    return packet
  }

  /** The peer's view of our stream; the round trip as RFC 3550 §6.4.1 (DLSR) has it: now - LSR - DLSR. */
  #judge(report: ReportBlock, packets: number, wall: number): void {
    this.remoteLost = Math.max(0, report.cumulativeLost)
    this.remote = { lost: this.remoteLost, jitterTicks: report.jitter, discarded: this.remote?.discarded ?? 0 }
    this.lossPercent = (this.#lostOf(report, packets) * 100) / 256
    if (report.lastReport === 0) return
    const roundTrip = (ntpMiddle(wall) - report.lastReport - report.sinceLastReport) | 0
    if (roundTrip >= 0) this.roundTripMs = (roundTrip * 1000) / 65_536
  }

  /** In 256ths. Who hears nothing at all expects nothing, and reports that nothing was lost (RFC 3550 §A.3): only that it got no further tells. */
  #lostOf({ fractionLost, highestSequence }: ReportBlock, packets: number): number {
    if (highestSequence !== this.#reached.sequence) this.#reached = { sequence: highestSequence, packets, moves: this.#reached !== NOWHERE }
    return this.#reached.moves && packets - this.#reached.packets >= UNHEARD_PACKETS ? ALL_LOST : fractionLost
  }

  #writeReport(packet: Buffer, at: number, report: NonNullable<ReturnType<Reception['report']>>, now: Millis): void {
    write32(packet, at, report.ssrc)
    write32(packet, at + 4, report.cumulativeLost)
    packet[at + 4] = report.fractionLost
    write32(packet, at + 8, report.highestSequence)
    write32(packet, at + 12, report.jitter)
    const last = this.#lastReport
    const echoes = last !== null && last.ssrc === report.ssrc
    write32(packet, at + 16, echoes ? last.ntpMiddle : 0)
    write32(packet, at + 20, echoes ? Math.round(((now - last.at) * 65_536) / 1000) : 0)
  }
}

function writeHead(packet: Buffer, at: number, head: { type: number; count: number; bytes: number }): void {
  write32(packet, at, ((0x80 | head.count) << 24) | (head.type << 16) | (head.bytes / 4 - 1))
}

/** By the name: an engine has one. */
const descriptions = new Map<string, Buffer>()

function descriptionOf(cname: string): Buffer {
  const known = descriptions.get(cname) ?? describe(cname)
  descriptions.set(cname, known)
  return known
}

/** A source description of any source (RFC 3550 §6.5): its items end with at least one null octet, at a multiple of four. */
function describe(cname: string): Buffer {
  const name = Buffer.from(cname)
  const used = 4 + 4 + 2 + name.length
  const description = Buffer.alloc(used + 4 - (used % 4))
  writeHead(description, 0, { type: SOURCE_DESCRIPTION, count: 1, bytes: description.length })
  description.set([CNAME, name.length], 8)
  description.set(name, 10)
  return description
}

/** The lower 32 bits of a whole number. */
function write32(packet: Buffer, at: number, value: number): void {
  const bits = value | 0
  packet[at] = bits >>> 24
  packet[at + 1] = bits >>> 16
  packet[at + 2] = bits >>> 8
  packet[at + 3] = bits
}

function writeSenderInfo(packet: Buffer, sent: OutgoingStream, now: Millis, wall: number): void {
  write32(packet, 8, Math.floor(wall / 1000) + NTP_EPOCH_SECONDS)
  write32(packet, 12, Math.floor(((wall % 1000) * 2 ** 32) / 1000))
  write32(packet, 16, sent.timestampNow(now))
  write32(packet, 20, sent.packets)
  write32(packet, 24, sent.bytes)
}

/** The middle 32 bits of the NTP timestamp of a wall time: seconds since 1900 in 16.16 fixed point. */
export function ntpMiddle(wall: number): number {
  const seconds = (Math.floor(wall / 1000) + NTP_EPOCH_SECONDS) & 0xffff
  const fraction = Math.floor(((wall % 1000) * 65_536) / 1000)
  return ((seconds << 16) | fraction) >>> 0
}

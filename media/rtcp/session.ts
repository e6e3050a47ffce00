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

/** One endpoint's half of the reporting: what the peer says of our stream, and our reports. No socket, no clock. */
export class RtcpSession {
  readonly #cname: string
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

  /** `cname`: names this end of the stream, random (RFC 7022 §4.2). */
  constructor(cname: string) {
    this.#cname = cname
  }

  /** Takes what the peer reports. A BYE ends nothing: that is for the signalling to say. */
  take(packets: readonly RtcpPacket[], ownSsrc: number, now: Millis, wall: number): void {
    for (const packet of packets) {
      if (packet.kind === 'sender-report') this.#lastReport = { ssrc: packet.ssrc, ntpMiddle: packet.ntpMiddle, at: now }
      if (packet.kind === 'voip-metrics' && packet.ssrc === ownSsrc && this.remote !== null)
        this.remote = { ...this.remote, discarded: packet.discardRate / 256 }
      if (packet.kind !== 'sender-report' && packet.kind !== 'receiver-report') continue
      for (const report of packet.reports) if (report.ssrc === ownSsrc) this.#judge(report, wall)
    }
  }

  /** Forgets the peer: another one may answer now. */
  reset(): void {
    this.#lastReport = null
    this.remoteLost = null
    this.remote = null
    this.lossPercent = 0
    this.roundTripMs = null
  }

  /** A compound packet: sender report if anything was sent since the last one, else receiver report; source description; BYE at the end. */
  compose(sent: OutgoingStream, received: Reception, when: { now: Millis; wall: number }, bye = false): Buffer {
    const { now, wall } = when
    const isSender = sent.packets > this.#packetsAtReport
    this.#packetsAtReport = sent.packets
    const report = received.report()
    const head = isSender ? 28 : 8
    const reportsEnd = head + (report === null ? 0 : 24)
    const description = 4 + 4 + 2 + Buffer.byteLength(this.#cname)
    const descriptionEnd = reportsEnd + (description + 4 - (description % 4))
    const packet = nextScratch().subarray(0, descriptionEnd + (bye ? 8 : 0))
    packet.fill(0)
    writeHead(packet, 0, { type: isSender ? SENDER_REPORT : RECEIVER_REPORT, count: report === null ? 0 : 1, bytes: reportsEnd })
    packet.writeUInt32BE(sent.ssrc, 4)
    if (isSender) writeSenderInfo(packet, sent, now, wall)
    if (report !== null) this.#writeReport(packet, head, report, now)
    writeHead(packet, reportsEnd, { type: SOURCE_DESCRIPTION, count: 1, bytes: descriptionEnd - reportsEnd })
    packet.writeUInt32BE(sent.ssrc, reportsEnd + 4)
    packet.writeUInt8(CNAME, reportsEnd + 8)
    packet.writeUInt8(Buffer.byteLength(this.#cname), reportsEnd + 9)
    packet.write(this.#cname, reportsEnd + 10)
    if (bye) {
      writeHead(packet, descriptionEnd, { type: BYE, count: 1, bytes: 8 })
      packet.writeUInt32BE(sent.ssrc, descriptionEnd + 4)
    }
    return packet
  }

  /** The peer's view of our stream; the round trip as RFC 3550 §6.4.1 (DLSR) has it: now - LSR - DLSR. */
  #judge(report: ReportBlock, wall: number): void {
    this.remoteLost = Math.max(0, report.cumulativeLost)
    this.remote = { lost: this.remoteLost, jitterTicks: report.jitter, discarded: this.remote?.discarded ?? 0 }
    this.lossPercent = (report.fractionLost * 100) / 256
    if (report.lastReport === 0) return
    const roundTrip = (ntpMiddle(wall) - report.lastReport - report.sinceLastReport) | 0
    if (roundTrip >= 0) this.roundTripMs = (roundTrip * 1000) / 65_536
  }

  #writeReport(packet: Buffer, at: number, report: NonNullable<ReturnType<Reception['report']>>, now: Millis): void {
    packet.writeUInt32BE(report.ssrc, at)
    packet.writeUInt8(report.fractionLost, at + 4)
    packet.writeIntBE(report.cumulativeLost, at + 5, 3)
    packet.writeUInt32BE(report.highestSequence, at + 8)
    packet.writeUInt32BE(report.jitter, at + 12)
    const last = this.#lastReport
    if (last === null || last.ssrc !== report.ssrc) return
    packet.writeUInt32BE(last.ntpMiddle, at + 16)
    packet.writeUInt32BE(Math.round(((now - last.at) * 65_536) / 1000) >>> 0, at + 20)
  }
}

function writeHead(packet: Buffer, at: number, head: { type: number; count: number; bytes: number }): void {
  packet.writeUInt8(0x80 | head.count, at)
  packet.writeUInt8(head.type, at + 1)
  packet.writeUInt16BE(head.bytes / 4 - 1, at + 2)
}

function writeSenderInfo(packet: Buffer, sent: OutgoingStream, now: Millis, wall: number): void {
  packet.writeUInt32BE((Math.floor(wall / 1000) + NTP_EPOCH_SECONDS) >>> 0, 8)
  packet.writeUInt32BE(Math.floor(((wall % 1000) * 2 ** 32) / 1000) >>> 0, 12)
  packet.writeUInt32BE(sent.timestampNow(now), 16)
  packet.writeUInt32BE(sent.packets >>> 0, 20)
  packet.writeUInt32BE(sent.bytes >>> 0, 24)
}

/** The middle 32 bits of the NTP timestamp of a wall time: seconds since 1900 in 16.16 fixed point. */
export function ntpMiddle(wall: number): number {
  const seconds = (Math.floor(wall / 1000) + NTP_EPOCH_SECONDS) & 0xffff
  const fraction = Math.floor(((wall % 1000) * 65_536) / 1000)
  return ((seconds << 16) | fraction) >>> 0
}

import type { Clock, Millis } from '#base/clock.ts'
import type { SocketAddress, StreamParams, StreamQuality } from '#media/engine.ts'
import { AcceptRule } from '#media/engine/accept.ts'
import { resumes, rtcpAddress, sameAddress } from '#media/engine/stream.ts'
import type { Receiver } from '#media/pipeline/receiver.ts'
import type { Secrecy } from '#media/pipeline/secrecy.ts'
import type { Sender } from '#media/pipeline/sender.ts'
import { parseRtcp, senderOf } from '#media/rtcp/parse.ts'
import { QualityWatch, STRETCH_MS } from '#media/rtcp/quality-watch.ts'
import { COMPENSATION, REPORT_INTERVAL_MS, RtcpSession } from '#media/rtcp/session.ts'
import type { OutgoingStream } from '#media/rtp/outgoing.ts'
import type { PortPair } from '#media/socket/socket.ts'

/** What the reporting needs of the engine. */
export interface ReportNeeds {
  readonly clock: Clock
  /** Names this end of the stream. */
  readonly cname: string
  /** A uniform integer in [0, limit). */
  below(limit: number): number
}

/** RTCP of one endpoint: the peer's reports in, ours out, on a port of its own or with the RTP (RFC 5761). */
export class Reports {
  readonly #needs: ReportNeeds
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #secrecy: Secrecy
  readonly #rtcp: RtcpSession
  /** Made at the end of the first stretch, which many calls do not reach. */
  #quality: QualityWatch | null = null
  readonly #openedAt: Millis
  readonly #accept = new AcceptRule()
  #stream: StreamParams | null = null
  /** Which stream of ours the peer reports of. */
  #outgoing: OutgoingStream
  #pair: PortPair | null = null
  #reportAt: Millis

  constructor(needs: ReportNeeds, stages: { receiver: Receiver; sender: Sender; secrecy: Secrecy }) {
    this.#needs = needs
    this.#receiver = stages.receiver
    this.#sender = stages.sender
    this.#secrecy = stages.secrecy
    this.#outgoing = stages.sender.outgoing
    this.#rtcp = new RtcpSession(needs.cname)
    this.#openedAt = needs.clock.now()
    this.#reportAt = this.#openedAt + this.#pause() / 2
  }

  get remoteLost(): number | null {
    return this.#rtcp.remoteLost
  }

  /** How the audio comes through, from the first packet on. */
  quality(stream: StreamParams): StreamQuality {
    return (this.#quality ?? this.#watchQuality()).whole(stream)
  }

  get roundTripMs(): Millis | null {
    return this.#rtcp.roundTripMs
  }

  /** A datagram on the RTCP port. */
  receive = (packet: Buffer, address: string, port: number): void => {
    const verdict = this.#stream === null ? 'stranger' : this.#accept.judge(address, port)
    // Behind one NAT address there may be others than the peer; they do not know its source.
    const strange = verdict === 'new' && !(this.#receiver.heard && senderOf(packet) === this.#receiver.reception.ssrc)
    if (verdict === 'stranger' || strange) {
      this.#receiver.strangers++
      return
    }
    if (!this.take(packet)) return
    if (verdict === 'new') this.#accept.fix(address, port)
    else this.#accept.confirm()
  }

  /** A compound packet from the peer. False: it is none. */
  take(datagram: Buffer): boolean {
    const packet = this.#secrecy.isOff ? datagram : this.#secrecy.openReport(datagram)
    if (packet === null) return false
    const packets = parseRtcp(packet)
    if ('kind' in packets) {
      this.#receiver.unusable++
      return false
    }
    const { clock } = this.#needs
    this.#rtcp.take(packets, this.#sender.outgoing, { now: clock.now(), wall: clock.wall() })
    this.#receiver.reported(clock.now())
    this.#sender.reportedLossPercent = this.#rtcp.lossPercent
    return true
  }

  attach(pair: PortPair | null): void {
    this.#pair = pair
  }

  /** To be called when our stream is aimed. `fresh`: another pair than before may speak from now on. */
  aim(stream: StreamParams, fresh: boolean): void {
    const isBack = resumes(this.#stream, stream)
    this.#stream = stream
    this.#accept.aim({ remote: rtcpAddress(stream), accept: stream.accept })
    // Only under the source that its audio names (`receive`): silence opens nothing here.
    if (isBack) this.#accept.resume(Number.POSITIVE_INFINITY)
    if (fresh) this.#rtcp.reset()
    if (this.#outgoing !== this.#sender.outgoing) this.#rtcp.renew()
    this.#outgoing = this.#sender.outgoing
  }

  /** The RTP has latched on a pair. */
  latched(pair: SocketAddress): void {
    if (this.#isMuxed()) this.#accept.fix(pair.address, pair.port)
  }

  /** When `housekeep` has something to do. */
  get dueAt(): Millis {
    return Math.min(this.#reportAt, this.#qualityDueAt)
  }

  /** To be called when it is due. What is to be told of how the audio comes through. */
  housekeep(now: Millis): StreamQuality | null {
    if (now >= this.#reportAt) {
      this.#reportAt = now + this.#pause()
      this.send(now, false)
    }
    if (this.#stream === null || now < this.#qualityDueAt) return null
    this.#quality ??= this.#watchQuality()
    return this.#quality.housekeep(this.#stream, now)
  }

  get #qualityDueAt(): Millis {
    return this.#quality?.dueAt ?? this.#openedAt + STRETCH_MS
  }

  #watchQuality(): QualityWatch {
    return new QualityWatch(this.#receiver.reception, this.#rtcp, this.#sender, this.#openedAt)
  }

  /** RFC 3550 §6.3: to where the peer's own reports may come from, and nowhere before something was heard or sent. */
  send(now: Millis, bye: boolean): void {
    const pair = this.#pair
    const { outgoing } = this.#sender
    const { reception } = this.#receiver
    if (pair === null || reception.packets + outgoing.packets === 0) return
    const muxed = this.#isMuxed()
    const target = muxed ? this.#sender.target : this.#accept.target
    if (target === null) return
    const plain = this.#rtcp.compose(outgoing, reception, { now, wall: this.#needs.clock.wall() }, bye)
    const packet = this.#secrecy.isOff ? plain : this.#secrecy.sealReport(plain)
    if (packet === null) return
    if (muxed) pair.rtp.send(packet, target)
    else pair.rtcp.send(packet, target)
  }

  /** Half to one and a half of the interval, less what randomising it so adds (RFC 3550 §6.3.1). */
  #pause(): Millis {
    return (REPORT_INTERVAL_MS / 2 + this.#needs.below(REPORT_INTERVAL_MS)) / COMPENSATION
  }

  #isMuxed(): boolean {
    const stream = this.#stream
    return stream !== null && stream.rtcp !== null && stream.remote !== null && sameAddress(stream.rtcp, stream.remote)
  }
}

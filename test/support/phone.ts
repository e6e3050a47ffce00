import type { Transcript } from '#test/support/transcript.ts'

/** How a real telephone program is set up. */
export interface PhoneOptions {
  /** Its own: configuration and recordings. */
  folder: string
  user: string
  password: string
  /** `address:port` of the system, an IPv6 address in brackets. */
  server: string
  transport: 'udp' | 'tcp' | 'tls'
  /** PEM file of the authorities that it trusts, over TLS. */
  authorities?: string
  /** Of its audio by SRTP: `optional` offers both, `required` refuses what is in clear. Absent: in clear. */
  encryption?: 'optional' | 'required'
  /** SIP port of its own on 127.0.0.1, or ::1 where the system's is IPv6; it also uses the 30 ports above. */
  port: number
  /** A sound file that it plays to whoever it talks with. */
  plays: string
  /** Keys as SIP INFO instead of telephone-events (RFC 4733); baresip 1.0.0 cannot. */
  infoDigits?: boolean
  /** Registers a flow that is kept open and told apart by instance (RFC 5626); linphone does not take it. */
  outbound?: boolean
  /** Extensions whose presence it shows. */
  watches?: readonly string[]
  /** Publishes presence of its own (RFC 3903); linphone does not take it. */
  publishes?: boolean
  /** Takes no more calls than this at once; further callers are told that it is busy. Default 4. */
  calls?: number
  /** The one codec that it has. Default PCMA; linphone does not take it. */
  codec?: 'PCMA' | 'PCMU' | 'G722' | 'opus'
  /** Takes comfort noise (RFC 3389), and plays nothing; baresip cannot. */
  comfortNoise?: boolean
  /** Packet time that it asks for and sends, in ms. Default 20; linphone does not take it. */
  ptimeMs?: number
}

/** A real telephone program, used as a person uses a phone. `from`: a mark of `said`, after which something must happen. */
export interface Phone extends AsyncDisposable {
  readonly name: string
  /** What happens to it. */
  readonly said: Transcript
  call(number: string): Promise<void>
  incoming(from: number): Promise<void>
  answer(): Promise<void>
  talking(from: number): Promise<void>
  hangUp(): Promise<void>
  /** Resolves with what it says of the end. */
  ended(from: number): Promise<string>
  hold(): Promise<void>
  resume(): Promise<void>
  /** Blind: it asks for the number to be called and leaves. */
  transfer(number: string): Promise<void>
  press(digits: string): Promise<void>
  /** Resolves when it has recorded so much more. */
  hears(ms: number): Promise<void>
  /** Files of what it has heard, in order. Complete once its calls are over. */
  recordings(): Promise<string[]>
}

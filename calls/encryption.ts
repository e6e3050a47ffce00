import type { Random } from '#base/ids.ts'
import { type LocalCrypto, TAKEN_SUITES } from '#media/sdp/crypto.ts'
import type { TransportName } from '#sip/agent.ts'

/** Whether the audio of a device or trunk is encrypted (SRTP, with keys in the SDP). */
export interface Encryption {
  /** `required`: nothing goes in clear. `offered`: encrypted where both sides can, else in clear. `off`: always in clear. */
  use: 'required' | 'offered' | 'off'
  /** Keys may also go over signalling that is not encrypted itself: whoever reads that can then listen (RFC 4568 §7). */
  keysInClear: boolean
}

/** Where nobody said anything: encrypted where the signalling is. */
export const usualEncryption: Encryption = { use: 'offered', keysInClear: false }

/** How one leg is encrypted: what is wanted, over the signalling that it has. */
export interface LegEncryption {
  readonly use: Encryption['use']
  /** Keys may be told over this leg's signalling. */
  readonly secure: boolean
  /** An offer of ours begins encrypted: the signalling is, or it must be. */
  readonly first: boolean
}

export function legEncryption({ use, keysInClear }: Encryption, transport: TransportName): LegEncryption {
  const isPrivate = transport === 'tls' || transport === 'wss'
  if (use === 'offered' && !isPrivate && !keysInClear) return usualInClear
  const secure = use !== 'off' && (isPrivate || keysInClear)
  return { use, secure, first: secure && (isPrivate || use === 'required') }
}

/** Of nearly every leg over signalling that is not encrypted: one for all. */
const usualInClear: LegEncryption = { use: 'offered', secure: false, first: false }

/** Why a leg over that signalling can have no audio at all; null: it can. */
export function encryptionBar(encryption: Encryption, transport: TransportName): string | null {
  const { use, secure } = legEncryption(encryption, transport)
  return use === 'required' && !secure
    ? `encryption is required, and the signalling over ${transport.toUpperCase()} would show its keys`
    : null
}

/** For an offer or an answer; `offers`: ours is of a protected stream. */
export function localCrypto({ use, secure }: LegEncryption, offers: boolean, random: Random): LocalCrypto {
  return {
    plain: use !== 'required',
    secure,
    offers,
    suites: TAKEN_SUITES,
    randomKey: (bytes) => Buffer.from(random.hex(bytes), 'hex').toString('base64'),
  }
}

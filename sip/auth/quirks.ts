import type { DigestAlgorithm } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'

/**
 * Phones that give up on a list of challenges when one of them names an algorithm they lack, against RFC 8760 §2.4, by User-Agent. They are
 * challenged with MD5 alone where the user may use it. Chosen by what the sender says it is, never by whom it claims to be, so that the
 * choice betrays nobody.
 */
const onlyMd5: readonly RegExp[] = [
  // Debian 12; seen 2026-11-22: "Register: Function not implemented".
  /^baresip v?[01]\./i,
]

export function offered(algorithms: readonly DigestAlgorithm[], request: SipRequest): readonly DigestAlgorithm[] {
  const agent = request.headers.get('User-Agent')
  if (agent === undefined || !algorithms.includes('MD5') || !onlyMd5.some((pattern) => pattern.test(agent))) return algorithms
  return ['MD5']
}

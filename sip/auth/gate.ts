import type { DigestUser } from '#sip/agent.ts'
import { claimOf, type DigestServer, type Verdict } from '#sip/auth/server.ts'
import type { GuessThrottle } from '#sip/auth/throttle.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** A verdict, or that the source is shut out: its credentials were not looked at, and it is answered as if they were wrong, so that it cannot tell. */
export type Admission = Verdict | { readonly kind: 'shut-out'; readonly headers: HeaderLines }

/** Digest authentication with guess throttling: what the agent asks for each request outside a dialog that policy wants challenged. */
export class AuthGate {
  readonly #digest: DigestServer
  readonly #throttle: GuessThrottle

  constructor(digest: DigestServer, throttle: GuessThrottle) {
    this.#digest = digest
    this.#throttle = throttle
  }

  /** `address` is the packet's source, never what a header says. */
  admit(request: SipRequest, address: string, realm: string, user: DigestUser | null): Admission {
    const claim = claimOf(request, realm)
    if (claim === null) return { kind: 'challenge', cause: 'absent', headers: this.#digest.challenge(realm, user, request) }
    if (!this.#throttle.admits(address, claim.username, realm)) {
      return { kind: 'shut-out', headers: this.#digest.challenge(realm, user, request) }
    }
    const verdict = this.#digest.verify(request, realm, user)
    if (verdict.kind === 'accepted') this.#throttle.succeeded(address, claim.username, realm)
    else if (verdict.cause === 'wrong') this.#throttle.failed(address, claim.username, realm)
    return verdict
  }
}

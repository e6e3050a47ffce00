import type { Clock } from '#base/clock.ts'
import type { Call } from '#calls/call.ts'
import type { CompiledSigning, CompiledTrunk } from '#server/config/compiled.ts'
import { dialledOnTrunk } from '#server/dialplan/arrival.ts'
import type { Route } from '#server/dialplan/decide.ts'
import { readDialled, readFrom } from '#server/numbering/numbering.ts'
import { Certificates, type FetchText } from '#server/stir/certificates.ts'
import { originOf } from '#server/stir/claim.ts'
import { readChain } from '#server/stir/chain.ts'
import { IdentitySigner } from '#server/stir/signer.ts'
import { phrases, type Verdict } from '#server/stir/verdict.ts'
import { IdentityVerifier } from '#server/stir/verifier.ts'
import type { IncomingInvite } from '#sip/agent.ts'
import { readCaller, userOfAddress } from '#sip/identity/caller.ts'
import { type Attestation, canonicalNumber } from '#sip/identity/passport.ts'
import type { SipRequest } from '#sip/message/message.ts'

export interface CallerIdentityNeeds {
  clock: Clock
  fetch: FetchText
  /** Who may vouch for signers, certificates in PEM form; null: nobody is known. */
  authorities: string | null
}

/** No call waits longer than this for the verdict on its signature. */
const patienceMs = 250

/** A call to be signed. */
export interface Signing {
  readonly orig: string
  readonly dest: string
  readonly attest: Attestation
  /** Of a call from outside: its id, and our number that it was for. */
  readonly sentOn?: { readonly call: string; readonly by: string }
}

/** What proved a caller: the values of Identity, who calls by them and who was called. Numbers are digits. */
interface Proven {
  readonly values: readonly string[]
  readonly orig: string
  readonly called: readonly string[]
}

/** What came of looking at a call's signature when the call goes on. */
export interface Checked {
  /** Where the call goes instead of where it wanted; null when it may. */
  refused: Route | null
  /** Tells the verdict as a fact of the call, now or when it comes. */
  tell: (call: Call) => void
}

const unlooked: Checked = { refused: null, tell: () => undefined }

/** Signed caller identity (STIR/SHAKEN) of this system: verified on trunks that bring it, made for companies that have a certificate. */
export class CallerIdentity {
  #clock: Clock
  #certificates: Certificates
  #verifier: IdentityVerifier
  #signer: IdentitySigner
  #urls = new Map<string, string>()
  /** Of calls that go on, whose signature passed: by call id. */
  #proven = new Map<string, Proven>()

  constructor(needs: CallerIdentityNeeds) {
    this.#clock = needs.clock
    this.#certificates = new Certificates(needs)
    const authorities = needs.authorities === null ? [] : (readChain(needs.authorities) ?? [])
    this.#verifier = new IdentityVerifier({ clock: needs.clock, certificates: this.#certificates, authorities })
    this.#signer = new IdentitySigner(needs.clock)
  }

  /** Takes up a company's certificate and key; false when they cannot sign. */
  configure(tenant: string, signing: CompiledSigning | null, privateKey: string | null): boolean {
    const before = this.#urls.get(tenant)
    if (before !== undefined) this.#certificates.own(before, null)
    this.#urls.delete(tenant)
    if (signing === null || privateKey === null) return this.#signer.configure(tenant, null) && signing === null
    this.#urls.set(tenant, signing.url)
    this.#certificates.own(signing.url, signing.certificate)
    return this.#signer.configure(tenant, { ...signing, privateKey })
  }

  /**
   * Headers for a call that goes out; none for a company that does not sign. All numbers in E.164. `sentOn`: a call from outside that shows its
   * own caller. Where that caller was proven to us, the proof goes along, beside ours that we sent it on (RFC 8946).
   */
  sign(tenant: string, call: Signing): (readonly [string, string])[] {
    const { sentOn, ...ours } = call
    const proven = sentOn === undefined ? undefined : this.#proven.get(sentOn.call)
    if (sentOn === undefined || proven === undefined || proven.orig !== canonicalNumber(call.orig)) return this.#signer.sign(tenant, ours)
    const by = canonicalNumber(sentOn.by)
    const diversion = by === null || !proven.called.includes(by) ? [] : this.#signer.divert(tenant, { ...ours, by: sentOn.by })
    return diversion.length === 0 ? [] : [...proven.values.map((value) => ['Identity', value] as const), ...diversion]
  }

  /**
   * Looks at the signature of a call from a trunk, then lets it go on: at once, unless the trunk wants good signatures only and a certificate
   * must be fetched first; then within 250 ms, after which the verdict comes late and the call is let through.
   */
  check(incoming: IncomingInvite, trunk: CompiledTrunk, country: string, go: (checked: Checked) => void): void {
    const values = incoming.request.headers.all('Identity')
    if (trunk.identity === 'ignore' || (values.length === 0 && trunk.identity === 'mark')) return go(unlooked)
    const numbers = numbersOf(incoming.request, trunk, country)
    const verdict = this.#verifier.verify(values, numbers)
    const told = (call: Call, came: Verdict, late: boolean): void => {
      if (came.verdict === 'passed' && call.outcome === null)
        this.#remember(call, { values, called: numbers.called, orig: originOf(values) })
      tell(call, came, late)
    }
    const refuses = trunk.identity === 'refuse'
    if (!(verdict instanceof Promise)) go({ refused: refuses ? refusal(verdict) : null, tell: (call) => told(call, verdict, false) })
    else if (refuses) this.#hold(incoming, { verdict, told }, go)
    else go({ refused: null, tell: (call) => void verdict.then((came) => told(call, came, true)) })
  }

  #remember(call: Call, proven: Omit<Proven, 'orig'> & { orig: string | null }): void {
    const { orig } = proven
    const id = call.identity.call
    if (orig === null) return
    this.#proven.set(id, { ...proven, orig })
    call.ended.on(() => this.#proven.delete(id))
  }

  #hold(
    incoming: IncomingInvite,
    { verdict, told }: { verdict: Promise<Verdict>; told: (call: Call, came: Verdict, late: boolean) => void },
    go: (checked: Checked) => void,
  ): void {
    let gone = false
    incoming.onCancelled = () => (gone = true)
    const once = (checked: Checked): void => {
      if (!gone) go(checked)
      gone = true
    }
    const patience = this.#clock.after(patienceMs, () =>
      once({ refused: null, tell: (call) => void verdict.then((came) => told(call, came, true)) }),
    )
    void verdict.then((came) => {
      patience[Symbol.dispose]()
      once({ refused: refusal(came), tell: (call) => told(call, came, false) })
    })
  }
}

function refusal(verdict: Verdict): Route | null {
  if (verdict.verdict === 'passed') return null
  const detail = `${phrases[verdict.sip]}: ${verdict.why}`
  return { kind: 'refused', rule: 'caller-identity', outcome: { kind: 'barred', by: 'us', sip: verdict.sip, detail } }
}

function tell(call: Call, verdict: Verdict, late: boolean): void {
  // That a call is not signed is nothing to tell; nor is anything of a call that is over.
  if (('sip' in verdict && verdict.sip === 428) || (late && call.outcome !== null)) return
  call.tell({
    kind: 'call.identity-checked',
    verdict: verdict.verdict,
    ...(verdict.attestation !== null && { attestation: verdict.attestation }),
    ...('why' in verdict && { why: verdict.why }),
    late,
  })
}

/** The numbers of a request in the form in which PASSporTs have them. */
function numbersOf(request: SipRequest, trunk: CompiledTrunk, country: string): { callers: string[]; called: string[] } {
  const format = trunk.numberFormat.in
  const canonical = (texts: readonly (string | null)[]): string[] =>
    texts.flatMap((text) => {
      const forms = text === null ? [] : [readFrom(format, text, country), readDialled(text, country).e164]
      return forms.flatMap((form) => (form === null ? [] : (canonicalNumber(form) ?? [])))
    })
  const asserted = trunk.callerId.trusted ? [userOfAddress(readCaller(request.headers, ['pai']).address)] : []
  return {
    callers: canonical([...asserted, userOfAddress(request.headers.from)]),
    called: canonical(dialledOnTrunk(request, trunk)),
  }
}

import { type Mutant, server } from '#test/mutants/mutant.ts'

const logins = 'test/abuse/logins.test.ts'
const guesses = 'test/abuse/guesses.test.ts'
const enumeration = 'test/abuse/enumeration.test.ts'

/** Of who proves a password, who guesses at one, and what either is told. */
export const loginMutants: readonly Mutant[] = [
  {
    name: 'credentials work again and again',
    ...{ file: 'sip/auth/server.ts', in: server },
    text: "return use === 'fresh' ?",
    becomes: "return use !== 'stale' ?",
    test: { file: logins, name: 'credentials work once' },
    notices: /REGISTER .*actual: 200/,
  },
  {
    name: 'credentials for another URI are taken',
    ...{ file: 'sip/auth/server.ts', in: server },
    text: '!isAbout(proof.uri, request.uri)',
    becomes: 'proof.uri === ""',
    test: { file: logins, name: 'no credentials but the right ones' },
    notices: /REGISTER for another URI .*actual: 200/,
  },
  {
    name: 'credentials without qop are taken, reckoned as of old (RFC 2069)',
    ...{ file: 'sip/auth/server.ts', in: server },
    text: '    const proof = readProof(credentials, user?.algorithms ?? this.#algorithms)\n',
    becomes: `
    const [algorithm = 'MD5', nonce = '', uri = '', response] = ['algorithm', 'nonce', 'uri', 'response'].map((n) => credentials.params.get(n))
    const old = { algorithm: algorithm as DigestAlgorithm, nonce, uri, method: request.method }
    if (response === digestResponse({ ...old, ha1: user?.ha1[old.algorithm] ?? '' })) return { kind: 'accepted' }
    const proof = readProof(credentials, user?.algorithms ?? this.#algorithms)\n`,
    test: { file: logins, name: 'no credentials but the right ones' },
    notices: /REGISTER without qop, as of old .*actual: 200/,
  },
  {
    name: 'what credentials say of qop is not looked at',
    ...{ file: 'sip/auth/server.ts', in: server },
    text: "return params.get('qop')?.toLowerCase() === 'auth' && params.get('userhash') !== 'true'",
    becomes: 'return true',
    test: { file: logins, name: 'no credentials but the right ones' },
    notices: /REGISTER with no word of qop .*actual: 200/,
  },
  {
    name: 'who does not exist is offered the usual algorithms',
    ...{ file: 'server/dialplan/identify.ts', in: server },
    text: '&& device !== undefined ? user : decoy',
    becomes: '&& device !== undefined ? user : null',
    test: { file: logins, name: 'who exists and who does not' },
    notices: /strictly deep-equal.*algorithm=/,
  },
  {
    name: 'who is shut out is offered fewer algorithms',
    ...{ file: 'sip/auth/gate.ts', in: server },
    text: "return { kind: 'shut-out', headers: this.#digest.challenge(realm, user, request) }",
    becomes: "return { kind: 'shut-out', headers: this.#digest.challenge(realm, user, request).slice(1) }",
    test: { file: logins, name: 'who is shut out for guessing' },
    notices: /algorithm=SHA-256.*actual: 2/,
  },
  {
    name: 'who guesses at one account is never shut out from it',
    ...{ file: 'sip/auth/throttle.ts', in: server },
    text: 'return !isShut(this.#pairs.get(pair), now)',
    becomes: 'return pair !== undefined',
    test: { file: logins, name: 'who is shut out for guessing' },
    notices: /another horse battery .*actual: 200/,
  },
  {
    name: 'a phone may register for another: who is in From proves it for who is in To',
    ...{ file: 'server/dialplan/identify.ts', in: server },
    text: "    return { kind: 'challenge', realm: book.config.settled.sipDomain, user: this.#user(book, source, { claimed, device }) }\n",
    becomes: `
    const from = request.headers.from
    const sender = this.#user(book, source, { claimed: from, device: book.config.devicesByUsername.get(userOf(from) ?? '') })
    const user = this.#user(book, source, { claimed, device })
    return { kind: 'challenge', realm: book.config.settled.sipDomain, user: user && sender && { ...sender, identity: user.identity } }\n`,
    test: { file: logins, name: 'one phone cannot register' },
    notices: /"to":"<sip:100@acme.test>".*actual: 200/,
  },
  {
    name: 'a phone may have any number of contacts',
    ...{ file: 'sip/registrar/registrar.ts', in: server },
    text: 'if (places.length < this.#maxContacts) return',
    becomes: 'if (places.length >= 0) return',
    test: { file: logins, name: 'one phone cannot register' },
    notices: /4\d contacts are kept/,
  },
  {
    name: 'a phone may bring any number of contacts at once',
    ...{ file: 'sip/registrar/registrar.ts', in: server },
    text: "expires !== 0).length > this.#maxContacts) return { kind: 'too-many' }",
    becomes: "expires !== 0).length < 0) return { kind: 'too-many' }",
    test: { file: logins, name: 'one phone cannot register' },
    notices: /two hundred contacts .*actual: 200/,
  },
  {
    name: 'who guesses at many accounts is not counted',
    ...{ file: 'sip/auth/throttle.ts', in: server },
    text: 'if (inARow <= COUNTED_PER_USER)',
    becomes: 'if (inARow < 0)',
    test: { file: logins, name: 'who guesses at many accounts' },
    notices: /banned after (?:9|1\d|20) guesses/,
  },
  {
    name: 'a source may guess on and on',
    ...{ file: 'sip/transport/source-watch.ts', in: server },
    text: 'guess: 40,',
    becomes: 'guess: 0,',
    test: { file: guesses, name: 'ten thousand times from one address' },
    notices: /"sent":\d+.*"received":(?:1[3-9]|[2-9]\d|\d{3,}),/,
  },
  {
    name: 'an account that is guessed at is shut out for its own phone, too',
    ...{ file: 'sip/auth/throttle.ts', in: server },
    text: '    if (this.#isProven(pair)) return true\n',
    becomes: '',
    test: { file: guesses, name: 'from five hundred addresses' },
    notices: /401 Unauthorized/,
  },
  {
    name: 'who exists is answered 0.3 ms later',
    ...{ file: 'sip/auth/server.ts', in: server },
    text: '    const secret = user?.ha1[algorithm]\n',
    becomes:
      '    const secret = user?.ha1[algorithm]\n    for (let i = 0; user?.identity.aor != null && i < 250; i++) digestResponse({ algorithm, ha1: nonce, nonce, method, uri })\n',
    test: { file: guesses, name: 'learns from no answer.s time who exists: with a wrong' },
    notices: /present \d{2,} µs later/,
  },
  {
    name: 'who asks is known by the time that a challenge takes',
    ...{ file: 'server/dialplan/identify.ts', in: server },
    text: '    const { user, decoy } = this.#lookUp(book, either)\n',
    becomes:
      "    for (let i = 0; device !== undefined && i < 100; i++) ha1('MD5', 'x'.repeat(1000), 'y', String(i))\n    const { user, decoy } = this.#lookUp(book, either)\n",
    test: { file: guesses, name: 'learns from no answer.s time who exists: without' },
    notices: /present \d{2,} µs later/,
  },
  {
    name: 'who does not exist is not looked up any further',
    ...{ file: 'server/dialplan/identify.ts', in: enumeration },
    text: '    if (either === undefined) return null\n',
    becomes: '    if (device === undefined || either === undefined) return null\n',
    test: { file: enumeration, name: 'by a greeting names that exist cannot be told from others: asked for again and again$' },
    notices: /ERR_ASSERTION\]: \d{3,} ns, .*; \d{3,} ns, /,
  },
  {
    name: 'an old phone is offered what it knows, and who does not exist the usual',
    ...{ file: 'server/dialplan/decoys.ts', in: server },
    text: 'offers.length === 1 ? offers[0]',
    becomes: 'offers.length > 0 ? offers[0]',
    test: { file: logins, name: 'who exists and who does not' },
    notices: /strictly deep-equal.*algorithm=/,
  },
]

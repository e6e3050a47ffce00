import assert from 'node:assert/strict'
import { formatIdentity, parseIdentity } from '#sip/identity/identity-header.ts'
import { decodePassport, encodeDiversion, encodePassport } from '#sip/identity/passport.ts'
import { claimOf } from '#server/stir/claim.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const url = 'https://cert.example/a;b.pem'
const now = 1_700_000_000_000
const unsigned = encodePassport({ attest: 'A', dest: '74950000100', iat: now / 1_000, orig: '74957654321', origid: 'b4a0', x5u: url })
const sentOn = encodeDiversion({ dest: '74950000100', div: '74950000199', iat: now / 1_000, orig: '74957654321', x5u: url })
const signature = Buffer.alloc(64, 5).toString('base64url')

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const odd = `${part({ alg: 'none', typ: 1, x5u: [] })}.${part({ iat: 'x', orig: { tn: 5 }, dest: { tn: [1, '+7 (495) 000-01-00', {}] } })}.${signature}`

/** What a carrier writes in Identity: the header, the token in it, and what is believed before any certificate is fetched. */
export const passportTarget: FuzzTarget = {
  name: 'passport',
  seeds: () =>
    [
      formatIdentity(`${unsigned}.${signature}`, url, 'shaken'),
      formatIdentity(`${sentOn}.${signature}`, url, 'div'),
      formatIdentity(odd, url, 'shaken'),
      formatIdentity(`..${signature}`, url, 'shaken'),
      `${unsigned}.${signature};info=<${url}>;alg=RS256`,
      ...[odd, `${unsigned}.${signature}`],
    ].map((text) => Buffer.from(text)),
  run(bytes) {
    const text = Buffer.from(bytes).toString('latin1')
    const value = parseIdentity(text)
    const read = decodePassport(value?.token ?? text)
    if (read !== null) {
      assert.ok(Array.isArray(read.passport.dest))
      for (const number of read.passport.dest) assert.match(number, /^[0-9*#A-Fa-f]+$/)
    }
    const claim = claimOf([text, formatIdentity(`${sentOn}.${signature}`, url, 'div')], {
      callers: ['74957654321'],
      called: ['74950000100'],
      now,
    })
    if ('claim' in claim) assert.ok(value !== null && read !== null, 'a claim of nothing')
    return `${value === null ? 'no header' : value.ppt} ${read === null ? 'no token' : read.passport.attest} ${'claim' in claim ? 'claim' : claim.verdict.verdict}`
  },
}

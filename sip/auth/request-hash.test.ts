import { test } from 'node:test'
import fc from 'fast-check'
import { requestHash } from '#sip/auth/digest.ts'
import { RequestHashes } from '#sip/auth/request-hash.ts'

test('what is kept is what would be reckoned, whatever was asked for before', () => {
  const hashes = new RequestHashes()
  const methods = fc.constantFrom('REGISTER', 'INVITE', 'register')
  const uris = fc.oneof(fc.constantFrom('sip:a.example', 'sip:A.example', '', 'sip:a'), fc.string({ unit: 'binary', maxLength: 300 }))
  fc.assert(
    fc.property(fc.constantFrom('MD5' as const, 'SHA-256' as const), methods, uris, (algorithm, method, uri) => {
      const once = hashes.of(algorithm, method, uri)
      return once === requestHash(algorithm, method, uri) && hashes.of(algorithm, method, uri) === once
    }),
    { numRuns: 1_000 },
  )
})

import { stranger } from '#test/abuse/flood.ts'

/** Where the accounts are. */
const domain = 'survival.example'

/** A request in the name of an account, without credentials. */
export function greeting(user: string, from: string): string {
  return stranger('OPTIONS', from).replace('sip:100@', `sip:${user}@`)
}

/** A wrong password for an account. */
export function guess(user: string, from: string): string {
  const credentials = [`username="${user}"`, `realm="${domain}"`, 'nonce="{n}"', `uri="sip:${domain}"`, `response="${'0'.repeat(32)}"`]
  const proof = `Authorization: Digest ${credentials.join(', ')}, algorithm=MD5, cnonce="x", qop=auth, nc=00000001\r\n`
  return stranger('REGISTER', from, domain, proof)
    .replace(`To: <sip:${domain}>`, `To: <sip:${user}@${domain}>`)
    .replace('From: <sip:100@', `From: <sip:${user}@`)
}

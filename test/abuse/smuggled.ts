/**
 * Ways to put the length of a message so that two elements may find different ends of it: a second request stands in what the one takes for the body,
 * the other for what follows. `lines` for a body of that length.
 */
export const smuggled: readonly [name: string, lines: (length: number) => string[]][] = [
  ['two lengths', (length) => [`Content-Length: ${length}`, 'Content-Length: 0']],
  ['two lengths, the other way round', (length) => ['Content-Length: 0', `Content-Length: ${length}`]],
  ['a compact length beside the long one', (length) => [`Content-Length: ${length}`, 'l: 0']],
  ['a long length beside the compact one', (length) => ['l: 0', `Content-Length: ${length}`]],
  ['two compact lengths', (length) => [`l: ${length}`, 'l: 0']],
  ['a compact length in capitals beside the long one', (length) => [`Content-Length: ${length}`, 'L: 0']],
  ['a compact length with a blank behind it beside the long one', (length) => ['l : 0', `Content-Length: ${length}`]],
  ['a compact length on the next line beside the long one', (length) => ['l:', ' 0', `Content-Length: ${length}`]],
  ['a negative length', () => ['Content-Length: -1']],
  ['a length beyond 32 bits', (length) => [`Content-Length: ${4_294_967_296 + length}`]],
  ['a length whose low 32 bits are none', () => ['Content-Length: 4294967296']],
  ['a length with a sign', (length) => [`Content-Length: +${length}`]],
  ['a list of lengths', (length) => [`Content-Length: ${length},${length}`]],
  ['a hexadecimal length', (length) => [`Content-Length: 0x${length.toString(16)}`]],
  ['a length of words', () => ['Content-Length: none']],
  ['a length with something behind', (length) => [`Content-Length: ${length};x`]],
  ['no length', () => []],
]

/** As well-formed as the others are not, though some elements read them otherwise. */
export const oddLengths: readonly [name: string, lines: (length: number) => string[]][] = [
  ['spaces around the length', (length) => [`Content-Length \t:  ${length} \t`]],
  ['a length on the next line', (length) => ['Content-Length:', ` ${length}`]],
  ['leading zeros', (length) => [`Content-Length: 00${length}`]],
  ['a compact length', (length) => [`l: ${length}`]],
  ['a compact length in capitals', (length) => [`L:${length}`]],
  ['a length in small letters', (length) => [`content-length: ${length}`]],
  ['a length within another header', (length) => ['X-Note: 1', ' Content-Length: 0', `Content-Length: ${length}`]],
]

const domain = 'survival.example'

/** A request over TCP with these lines, and no length but what stands among them. */
export function options(id: string, more: readonly string[] = [], body = ''): string {
  return [
    `OPTIONS sip:${domain} SIP/2.0`,
    `Via: SIP/2.0/TCP 127.0.0.9;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:x@${domain}>;tag=${id}`,
    `To: <sip:${domain}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    ...more,
    '',
    body,
  ].join('\r\n')
}

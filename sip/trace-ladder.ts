import { parseMessage } from '#sip/message/parse.ts'
import type { TraceEntry } from '#sip/trace.ts'

/**
 * A call's messages as a ladder diagram in plain text: a line each, with seconds since the first, each peer in a column of its own,
 * `<--` for what came from it and `-->` for what went to it, the CSeq number behind.
 *
 *     seconds  192.0.2.7:5060/udp
 *       0.000  |<-- INVITE sip:100@example.org  1 + application/sdp
 *       0.002  |--> 100 Trying (INVITE)  1
 */
export function ladder(entries: readonly TraceEntry[]): string {
  const first = entries[0]
  if (first === undefined) return ''
  const peers = [...new Set(entries.map(peerOf))]
  const head = ['seconds'.padStart(9), ...peers.map((peer) => peer.padEnd(COLUMN))].join('  ').trimEnd()
  return [head, ...entries.map((entry) => row(entry, first.at, peers))].join('\n')
}

const COLUMN = 44

function row(entry: TraceEntry, start: number, peers: readonly string[]): string {
  const seconds = ((entry.at - start) / 1000).toFixed(3).padStart(9)
  const arrow = entry.direction === 'in' ? '<--' : '-->'
  const before = '  '.concat('|'.padEnd(COLUMN)).repeat(peers.indexOf(peerOf(entry)))
  return `${seconds}${before}  |${arrow} ${summary(entry.bytes)}`
}

function peerOf({ flow }: TraceEntry): string {
  const { address, port } = flow.remote
  return `${address.includes(':') ? `[${address}]` : address}:${port}/${flow.transport}`
}

/** What a reader of a ladder looks for: the request or status line, the CSeq, whether a body comes with it. */
function summary(bytes: Uint8Array): string {
  const message = parseMessage(bytes)
  if (message.kind === 'malformed') return `malformed (${message.rule})`
  const { seq, method } = message.headers.cseq
  const line = message.kind === 'request' ? `${method} ${message.uri}` : `${message.status} ${message.reason} (${method})`
  const body = message.body.length > 0 ? ` + ${message.headers.contentType?.type ?? 'body'}` : ''
  return `${line}  ${seq}${body}`
}

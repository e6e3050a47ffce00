import type { SipHeaders } from '#sip/message/headers.ts'

/** What a PRACK acknowledges (RFC 3262 §7.2). */
export interface Rack {
  /** RSeq of the provisional response. */
  readonly rseq: number
  /** CSeq of the request that it answered. */
  readonly seq: number
  readonly method: string
}

/** RAck of a PRACK, or null when it has none that is well-formed. */
export function rackOf(headers: SipHeaders): Rack | null {
  const [, rseq, seq, method] = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+([A-Za-z]+)$/.exec(headers.get('RAck')?.trim() ?? '') ?? []
  return rseq === undefined || seq === undefined || method === undefined ? null : { rseq: Number(rseq), seq: Number(seq), method }
}

/** RSeq of a provisional response that wants to be acknowledged (RFC 3262 §4), or null when it does not. */
export function reliableSeqOf(headers: SipHeaders): number | null {
  if (!headers.requires('100rel')) return null
  const rseq = /^\d{1,10}$/.exec(headers.get('RSeq')?.trim() ?? '')?.[0]
  return rseq === undefined || headers.to.tag === undefined ? null : Number(rseq)
}

/**
 * What a parser takes before it refuses. Each bound is far above anything a phone or carrier sends and keeps the work on one
 * message well under a millisecond.
 */

/** Start line and headers, bytes. The largest real heads (STIR identities, long Record-Route sets) stay under 10 kB. */
export const MAX_HEAD_BYTES = 32_768

/** Body of one message on a stream, bytes. UDP cannot carry more in one datagram, so no peer may rely on more. */
export const MAX_BODY_BYTES = 65_535

/** Header lines in one message. A request through 70 proxies (the usual Max-Forwards) with a Via and a Record-Route of each needs 160. */
export const MAX_HEADER_LINES = 256

/**
 * A Call-ID, a tag, a branch, a method, a user name of credentials: characters. Real ones stay under 200. They are what much is found
 * by, and V8's hash tables tell texts above 16,383 characters apart by nothing but their length: thousands would be compared in turn.
 */
export const MAX_ID_LENGTH = 1_024

/** Elements of one header that are parsed as a list of addresses (Contact, Route, Record-Route). */
export const MAX_LIST_ELEMENTS = 256

/** Parameters of one element or URI. */
export const MAX_PARAMS = 64

/** Largest value of CSeq, Expires, Retry-After and Content-Length: 32 bits, RFC 3261 §20.16 and §20.19. */
export const MAX_UINT32 = 0xffff_ffff

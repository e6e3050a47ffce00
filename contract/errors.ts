import Type, { type Static } from 'typebox'

/**
 * Every error that the API answers with: its status and what it means. The code is what programs compare; it never changes. A response is an
 * RFC 9457 problem whose `type` is `urn:centrala:error:<code>`.
 */
export const errorCodes = {
  'bad-request': { status: 400, title: 'The request is malformed.' },
  'not-signed-in': { status: 401, title: 'A valid API key is required.' },
  'not-allowed': { status: 403, title: 'This key may not do that.' },
  'not-found': { status: 404, title: 'There is no such thing.' },
  'wrong-method': { status: 405, title: 'This address does not take that method.' },
  gone: { status: 410, title: 'It was deleted when its time was over.' },
  conflict: { status: 409, title: 'Somebody else changed it meanwhile.' },
  'not-now': { status: 409, title: 'The call is not in a state in which this can be done.' },
  'key-reused': { status: 422, title: 'The idempotency key was used for a different request.' },
  'too-large': { status: 413, title: 'The request is too large.' },
  'wrong-content-type': { status: 415, title: 'The body has a content type that is not taken here.' },
  'invalid-configuration': { status: 422, title: 'The configuration was refused as a whole.' },
  'too-many-requests': { status: 429, title: 'Too many requests; see Retry-After.' },
  internal: { status: 500, title: 'Something broke on our side.' },
  unavailable: { status: 503, title: 'This cannot be done just now; see Retry-After.' },
} as const
export type ErrorCode = keyof typeof errorCodes

/** One thing that is wrong (or, as a warning, unwise) in a set of configuration documents, and its place. */
export const ConfigProblem = Type.Object({
  severity: Type.Enum(['error', 'warning']),
  /** What was broken, for programs: `unknown-field`, `dangling-reference`, `recording-notice`, ... */
  rule: Type.String(),
  /** One sentence for a person. */
  message: Type.String(),
  /** The document, where one could be told. */
  kind: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  /** Within the document, as a JSON pointer (RFC 6901): `/nodes/menu/keys/1`. */
  pointer: Type.Optional(Type.String()),
  /** File as named by the sender; line and column from 1. */
  file: Type.Optional(Type.String()),
  line: Type.Optional(Type.Integer({ minimum: 1 })),
  column: Type.Optional(Type.Integer({ minimum: 1 })),
  /** What would have been right. */
  expected: Type.Optional(Type.String()),
  /** What is there, shortened; never a secret. */
  found: Type.Optional(Type.String()),
})
export type ConfigProblem = Static<typeof ConfigProblem>

/** RFC 9457. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  code: Type.String(),
  detail: Type.Optional(Type.String()),
  /** With `invalid-configuration`: every problem of the set. */
  problems: Type.Optional(Type.Array(ConfigProblem)),
})
export type Problem = Static<typeof Problem>

import type { FastifyError, FastifyReply } from 'fastify'
import { type ConfigProblem, type ErrorCode, errorCodes, type Problem } from '#contract/errors.ts'

/** Thrown by handlers; answered as problem details (RFC 9457). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  readonly problems: ConfigProblem[] | undefined

  /** `detail`: one sentence for a person, about this very case. */
  constructor(code: ErrorCode, detail: string, problems?: ConfigProblem[]) {
    super(detail)
    this.code = code
    this.problems = problems
  }
}

export const notFound = (what: string): ApiError => new ApiError('not-found', `There is no such ${what}.`)

/** Whatever a handler threw, as problem details. What broke inside is logged by the caller, not told. */
export function problemOf(fault: unknown): Problem {
  if (fault instanceof ApiError) return problem(fault.code, fault.message, fault.problems)
  if (isAway(fault)) return problem('unavailable', 'The database cannot be reached; calls go on. Try again in a few seconds.')
  if (isBadCursor(fault)) return problem('bad-request', 'The cursor is not one that was given out for this list.')
  if (isFastifyError(fault) && (fault.statusCode ?? 500) < 500) return problem(codeOf(fault.statusCode ?? 400), fault.message)
  return problem('internal', 'The fault was logged.')
}

export function sendProblem(reply: FastifyReply, told: Problem): FastifyReply {
  if (told.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '5')
  return reply.code(told.status).type('application/problem+json').send(JSON.stringify(told))
}

export function problem(code: ErrorCode, detail: string, problems?: ConfigProblem[]): Problem {
  const { status, title } = errorCodes[code]
  return { type: `urn:centrala:error:${code}`, title, status, code, detail, ...(problems !== undefined && { problems }) }
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 404:
      return 'not-found'
    case 405:
      return 'wrong-method'
    case 413:
      return 'too-large'
    case 415:
      return 'wrong-content-type'
    case 429:
      return 'too-many-requests'
    default:
      return 'bad-request'
  }
}

function isAway(fault: unknown): boolean {
  return fault instanceof Error && (fault.name === 'StoreAwayError' || fault.name === 'StoreBusyError')
}

function isBadCursor(fault: unknown): boolean {
  return fault instanceof Error && fault.name === 'BadCursorError'
}

function isFastifyError(fault: unknown): fault is FastifyError {
  return fault instanceof Error && 'statusCode' in fault
}

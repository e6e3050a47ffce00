export {
  mayActAs,
  type ApiKeyInfo,
  type ApiKeys,
  type Caller,
  type IdempotencyKeys,
  type IdempotencyVerdict,
  type Role,
  type StoredAnswer,
} from '#server/access/face.ts'
export { openApiKeys } from '#server/access/api-keys.ts'
export { openIdempotencyKeys, pruneIdempotencyKeys } from '#server/access/idempotency.ts'

import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { migrations } from '#server/store/migrations/index.ts'

/** First file of a backup: what it is. */
export interface Manifest {
  readonly format: 'centrala-backup'
  readonly version: 1
  readonly createdAt: string
  /** Steps of the schema that the rows fit. */
  readonly schema: readonly string[]
}

/** Last file of a backup: SHA-256, hexadecimal, of every other by name. */
export type Checksums = Record<string, string>

/** Tables of a backup, in an order that references allow. Passing ones (idempotency keys) are left out. */
export const backedUp = ['tenant', 'config_version', 'secret', 'api_key', 'recording', 'job', 'fact', 'call'] as const
export type BackedUp = (typeof backedUp)[number]

/** The schema of this version of the system. */
export function schemaNow(): string[] {
  return migrations.map(({ name }) => name)
}

/** The passphrase does not open the key of this backup, or one is needed and none was given. */
export class WrongPassphraseError extends Error {
  override readonly name = 'WrongPassphraseError'
}

/** Locks a text under a passphrase (scrypt, AES-256-GCM): salt, nonce, tag and text in one. */
export function lockText(text: string, passphrase: string): Buffer {
  const salt = randomBytes(16)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', scryptSync(passphrase, salt, 32), nonce)
  const locked = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), locked])
}

/** Opens what `lockText` made. Throws `WrongPassphraseError`. */
export function unlockText(locked: Buffer, passphrase: string): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', scryptSync(passphrase, locked.subarray(0, 16), 32), locked.subarray(16, 28))
    decipher.setAuthTag(locked.subarray(28, 44))
    return decipher.update(locked.subarray(44), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new WrongPassphraseError('the passphrase does not open this backup', { cause })
  }
}

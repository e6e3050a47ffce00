import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { open, readFile, link, rm, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The secret was sealed under another key, or was changed since. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError'
}

/** The key file is not one of ours. */
export class BadKeyFileError extends Error {
  override readonly name = 'BadKeyFileError'
}

/**
 * Reads the key of `file` (32 bytes as hexadecimal), or makes one there on first use, readable by its owner only. Whoever loses this file
 * loses the passwords in the configuration; a backup contains it.
 */
export async function secretKey(file: string): Promise<KeyObject> {
  const found = await readKey(file)
  if (found !== null) return found
  await mkdir(dirname(file), { recursive: true })
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(unfinished, 'wx', 0o600)
  try {
    await handle.writeFile(`${randomBytes(32).toString('hex')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  // Of two processes that start together, one makes the key and both use it.
  await link(unfinished, file).catch(() => undefined)
  await rm(unfinished)
  const made = await readKey(file)
  if (made === null) throw new BadKeyFileError(`${file} could not be made`)
  return made
}

async function readKey(file: string): Promise<KeyObject | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  if (!/^[0-9a-f]{64}\s*$/.test(text)) throw new BadKeyFileError(`${file} is not a key: 64 hexadecimal digits were expected`)
  return createSecretKey(Buffer.from(text.trim(), 'hex'))
}

/** Seals a text (AES-256-GCM). `context` binds it to its place: it opens only there. */
export function seal(key: KeyObject, text: string, context: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`
}

/** The text that was sealed. Throws `SealBrokenError`. */
export function unseal(key: KeyObject, sealed: string, context: string): string {
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  if (!sealed.startsWith('v1.') || bytes.length < 28) throw new SealBrokenError(`${context} is not sealed`)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(12, 28))
  try {
    return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new SealBrokenError(`${context} does not open with this key`, { cause })
  }
}

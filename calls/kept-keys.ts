import type { AgreedMedia } from '#calls/kept.ts'
import type { Vault } from '#calls/needs.ts'
import { cryptoAttribute, cryptoLines, type CryptoLine } from '#media/sdp/crypto.ts'
import type { MediaDescription } from '#media/sdp/sdp.ts'
import type { StreamCrypto } from '#media/srtp/suites.ts'

/** What is secret in a leg's media. */
interface Keys {
  crypto: StreamCrypto | null
  /** Our `a=crypto` lines by the place of their stream. */
  lines: CryptoLine[][]
}

/** The same as plain data that may be written down: its keys are sealed, or left out where nobody can seal. */
export function withKeysSealed(media: AgreedMedia, vault: Vault | undefined): AgreedMedia {
  const { crypto, ...stream } = media.stream
  if (crypto === undefined && media.own.media.every(({ attributes }) => attributes.every(isNoKey))) return media
  const lines = media.own.media.map(({ attributes }) => [...cryptoLines(attributes).usable])
  const keys: Keys = { crypto: crypto ?? null, lines }
  const { id, engine, local, rollover } = media.endpoint
  const sealed = vault?.seal(JSON.stringify(keys), placeOf(media))
  return {
    ...media,
    // The stream stands in the endpoint, too: there it is put back when the seal opens. Without, what the engine has goes on.
    endpoint: { id, engine, local, ...(rollover !== undefined && { rollover }) },
    stream,
    own: { ...media.own, media: media.own.media.map((each) => ({ ...each, attributes: each.attributes.filter(isNoKey) })) },
    ...(sealed !== undefined && { keys: sealed }),
  }
}

/** What `withKeysSealed` took in, whole again; without its keys when the seal does not open. */
export function withKeysOpened(media: AgreedMedia, vault: Vault | undefined): AgreedMedia {
  const { keys: sealed, ...open } = media
  const text = sealed === undefined ? null : (vault?.unseal(sealed, placeOf(media)) ?? null)
  const keys: unknown = text === null ? null : JSON.parse(text)
  if (!areKeys(keys)) return open
  const { crypto, lines } = keys
  const stream = crypto === null ? open.stream : { ...open.stream, crypto }
  const own = open.own.media.map((each, i) => withLines(each, lines[i] ?? []))
  return { ...open, stream, endpoint: { ...open.endpoint, stream }, own: { ...open.own, media: own } }
}

function areKeys(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && 'crypto' in value && 'lines' in value && Array.isArray(value.lines)
}

function withLines(media: MediaDescription, lines: readonly CryptoLine[]): MediaDescription {
  return lines.length === 0 ? media : { ...media, attributes: [...media.attributes, ...lines.map(cryptoAttribute)] }
}

function isNoKey({ name }: { name: string }): boolean {
  return name !== 'crypto'
}

/** A seal opens only for the endpoint it was made for. */
function placeOf({ endpoint }: AgreedMedia): string {
  return `call media ${endpoint.id}`
}

import type { AgreedMedia, KeptMedia, MediaBasics } from '#calls/kept.ts'
import type { StreamParams } from '#media/engine.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

/**
 * A leg's media as it is written down with every change of its call: nothing twice, and our SDP as text, which is half as long as taken apart.
 */
export function toKeptMedia(media: AgreedMedia): KeptMedia {
  return keptWith(media, media.stream, writeSdp(media.own))
}

/** The same, where our SDP is text already: `own` must hold no keys. */
export function keptWith({ endpoint, peer, codecs, encryption, keys }: MediaBasics, stream: StreamParams, own: string): KeptMedia {
  const kept: KeptMedia = { endpoint, peer, codecs, own }
  if (encryption !== undefined) kept.encryption = encryption
  if (keys !== undefined) kept.keys = keys
  if (stream !== endpoint.stream) kept.stream = stream
  return kept
}

/** What `toKeptMedia` was given; also of records that earlier versions wrote. Null when it cannot be read. */
export function fromKeptMedia(kept: KeptMedia): AgreedMedia | null {
  const { stream = kept.endpoint.stream, own: written, ...basics } = kept
  const own = typeof written === 'string' ? parseSdp(written) : written
  return stream === undefined || own.kind === 'malformed' ? null : { ...basics, stream, own }
}

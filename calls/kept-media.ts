import type { AgreedMedia, KeptMedia } from '#calls/kept.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

/**
 * A leg's media as it is written down with every change of its call: nothing twice, and our SDP as text, which is half as long as taken apart.
 * `text`: what our SDP was sent as, where its keys need not be left out.
 */
export function toKeptMedia(media: AgreedMedia, text: string | null): KeptMedia {
  const { stream, own, ...basics } = media
  const sdp = text ?? writeSdp(own)
  return stream === basics.endpoint.stream ? { ...basics, own: sdp } : { ...basics, stream, own: sdp }
}

/** What `toKeptMedia` was given; also of records that earlier versions wrote. Null when it cannot be read. */
export function fromKeptMedia(kept: KeptMedia): AgreedMedia | null {
  const { stream = kept.endpoint.stream, own: written, ...basics } = kept
  const own = typeof written === 'string' ? parseSdp(written) : written
  return stream === undefined || own.kind === 'malformed' ? null : { ...basics, stream, own }
}

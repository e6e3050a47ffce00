import { type CodecName, defaultCodecs } from '#contract/documents/fields.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { type Complaint, unwise, wrong } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { inDialect } from '#server/trunks/dialects.ts'

type Codecs = readonly CodecName[]

/** The codecs of a device or a trunk, in order: its own as far as the company allows them, else those of the company. */
export function codecsOf(own: Codecs | undefined, ofCompany: Codecs | undefined): Codecs {
  const allowed = ofCompany ?? defaultCodecs
  return own === undefined ? allowed : own.filter((codec) => allowed.includes(codec))
}

/** Everybody has a codec left, and the phones one that some trunk has: audio that must be decoded and encoded again costs sound and machine. */
export function codecChecks(documents: readonly ConfigDocument[]): Complaint[] {
  const ofCompany = ofKind(documents, 'company')[0]?.codecs
  const has = (document: ConfigDocument, own: Codecs | undefined): Holder => ({ document, own, codecs: codecsOf(own, ofCompany) })
  const devices = ofKind(documents, 'device').map((device) => has(device, device.codecs))
  const trunks = ofKind(documents, 'trunk').flatMap((trunk) => (trunk.enabled === false ? [] : [has(trunk, inDialect(trunk).codecs)]))
  const none = [...devices, ...trunks].flatMap(({ document, own = [], codecs }) =>
    codecs.length > 0
      ? []
      : [
          wrong(
            'no-codec',
            document,
            ['codecs'],
            `no codec is left: the company allows ${listed(ofCompany ?? [])}, and this has ${listed(own)}`,
          ),
        ],
  )
  return [...none, ...apart(devices, trunks, 'any trunk'), ...apart(trunks, devices, 'any phone')]
}

interface Holder {
  readonly document: ConfigDocument
  readonly own: Codecs | undefined
  readonly codecs: Codecs
}

/** Those who share no codec with any of the others. */
function apart(ones: readonly Holder[], others: readonly Holder[], what: string): Complaint[] {
  const shared = new Set(others.flatMap(({ codecs }) => codecs))
  if (shared.size === 0) return []
  return ones.flatMap(({ document, codecs }) =>
    codecs.length === 0 || codecs.some((codec) => shared.has(codec))
      ? []
      : [
          unwise(
            'no-common-codec',
            document,
            ['codecs'],
            `${listed(codecs)} is in common with ${what} nowhere: all its audio is decoded and encoded again`,
          ),
        ],
  )
}

function listed(codecs: Codecs): string {
  return codecs.join(', ')
}

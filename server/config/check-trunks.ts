import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Company } from '#contract/documents/company.ts'
import type { Outbound } from '#contract/documents/outbound.ts'
import type { Trunk } from '#contract/documents/trunk.ts'
import { wrong, type Complaint } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { signingTrouble } from '#server/stir/signer.ts'
import { unknownDialect } from '#server/trunks/dialects.ts'

/** Trunks can do what they are asked to; rates say what they are for. */
export function trunkChecks(documents: readonly ConfigDocument[]): Complaint[] {
  return [
    ...ofKind(documents, 'trunk').flatMap(account),
    ...ofKind(documents, 'trunk').flatMap(networks),
    ...ofKind(documents, 'trunk').flatMap(dialect),
    ...ofKind(documents, 'outbound').flatMap(rates),
    ...ofKind(documents, 'company').flatMap(signing),
  ]
}

function account(trunk: Trunk): Complaint[] {
  const complaints: Complaint[] = []
  if (trunk.register === true && trunk.username === undefined) {
    complaints.push(wrong('missing-account', trunk, ['register'], 'a trunk that registers needs a username'))
  }
  if (trunk.password !== undefined && trunk.username === undefined && trunk.authUser === undefined) {
    complaints.push(wrong('missing-account', trunk, ['password'], 'a password needs a username or an authUser'))
  }
  return complaints
}

/** The longest networks that anybody has are /8 of IPv4, and well over /8 of IPv6. */
const widest = 8

/** CIDR prefixes fit their address family, and name a carrier rather than the world. */
function networks(trunk: Trunk): Complaint[] {
  return (trunk.addresses ?? []).flatMap((address, i) => {
    const [host = '', bits] = address.split('/')
    if (bits === undefined) return []
    const most = host.includes(':') ? 128 : 32
    const isAddress = host.includes(':') || /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host)
    if (isAddress && Number(bits) <= most) {
      if (Number(bits) >= widest) return []
      const message = `${address} would take nearly anybody for this carrier; a network is /${widest} at the widest`
      return [wrong('wide-network', trunk, ['addresses', i], message)]
    }
    return [wrong('bad-network', trunk, ['addresses', i], `${address} is not a network such as 203.0.113.0/24`)]
  })
}

function dialect(trunk: Trunk): Complaint[] {
  const unknown = trunk.dialect === undefined ? null : unknownDialect(trunk.dialect)
  return unknown === null ? [] : [wrong('unknown-dialect', trunk, ['dialect'], unknown)]
}

/** A company that signs can: certificate and key are sound and belong together. */
function signing(company: Company): Complaint[] {
  if (company.signing === undefined) return []
  const { certificate, privateKey } = company.signing
  const plain = typeof privateKey === 'string' && privateKey.includes('-----BEGIN') ? privateKey : null
  const trouble = signingTrouble(certificate, plain)
  return trouble === null ? [] : [wrong('bad-certificate', company, ['signing'], trouble)]
}

function rates(outbound: Outbound): Complaint[] {
  return (outbound.rates ?? []).flatMap((rate, i) =>
    (rate.class === undefined) === (rate.prefix === undefined)
      ? [wrong('bad-rate', outbound, ['rates', i], 'a rate is for a class or for a prefix')]
      : [],
  )
}

import type { Company } from '#contract/documents/company.ts'
import type { Trunk } from '#contract/documents/trunk.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import { codecsOf } from '#server/config/codecs.ts'
import { inDialect } from '#server/trunks/dialects.ts'
import type { ExpectedPeer } from '#sip/agent.ts'

/** `companyCallerId`: shown when nothing else may be. `owned`: every number of the company, which may be shown unless the trunk says otherwise. `codecs`: those that it allows. */
export function compileTrunk(
  written: Trunk,
  companyCallerId: string | null,
  owned: ReadonlySet<string>,
  codecs?: Company['codecs'],
): CompiledTrunk {
  const trunk = inDialect(written)
  return {
    id: trunk.id,
    name: trunk.name ?? trunk.id,
    ...peer(trunk),
    ...account(trunk),
    ...numbers(trunk, companyCallerId, owned),
    channels: trunk.channels ?? null,
    codecs: codecsOf(trunk.codecs, codecs),
    encryption: trunk.encryption ?? 'offered',
    redirects: trunk.redirects ?? false,
    diversion: trunk.diversion ?? 'none',
    identity: trunk.identity ?? 'mark',
    attestation: trunk.attestation ?? 'C',
    sign: trunk.sign ?? true,
    healthSeconds: trunk.healthSeconds ?? 10,
    healthAnswer: trunk.healthAnswer ?? 'any',
    enabled: trunk.enabled ?? true,
  }
}

function peer(trunk: Trunk): Pick<CompiledTrunk, 'host' | 'port' | 'transport' | 'expects' | 'domain' | 'outboundProxy' | 'addresses'> {
  const proxy = trunk.outboundProxy
  return {
    host: trunk.host,
    port: trunk.port ?? null,
    transport: trunk.transport ?? null,
    expects: expected(trunk),
    domain: trunk.domain ?? trunk.host,
    outboundProxy: proxy === undefined ? null : { host: proxy.host, port: proxy.port ?? null, transport: proxy.transport ?? null },
    addresses: trunk.addresses ?? (proxy === undefined ? [trunk.host] : [trunk.host, proxy.host]),
  }
}

function expected({ tls, host, outboundProxy }: Trunk): ExpectedPeer {
  const pem = tls?.authorities
  const trust = tls?.trust === 'anyone' ? 'anyone' : pem === undefined ? 'authorities' : { pem }
  return { name: tls?.name ?? outboundProxy?.host ?? host, trust }
}

function account(
  trunk: Trunk,
): Pick<CompiledTrunk, 'register' | 'registerSeconds' | 'username' | 'authUser' | 'password' | 'contactUser' | 'realms'> {
  return {
    register: trunk.register ?? false,
    registerSeconds: trunk.registerSeconds ?? 600,
    username: trunk.username ?? null,
    authUser: trunk.authUser ?? trunk.username ?? null,
    password: trunk.password ?? null,
    contactUser: trunk.contactUser ?? trunk.username ?? null,
    realms: trunk.realms ?? null,
  }
}

function numbers(
  trunk: Trunk,
  companyCallerId: string | null,
  owned: ReadonlySet<string>,
): Pick<CompiledTrunk, 'dialledNumberIn' | 'numberFormat' | 'userPhone' | 'callerId'> {
  const format = trunk.numberFormat
  const out = format?.out ?? 'e164-plus'
  return {
    dialledNumberIn: (trunk.dialledNumberIn ?? 'request-uri').toLowerCase(),
    numberFormat: { in: format?.in ?? 'e164-plus', out, caller: format?.caller ?? out },
    userPhone: trunk.userPhone ?? false,
    callerId: callerId(trunk.callerId ?? {}, companyCallerId, owned),
  }
}

function callerId(
  written: NonNullable<Trunk['callerId']>,
  companyCallerId: string | null,
  owned: ReadonlySet<string>,
): CompiledTrunk['callerId'] {
  const trusted = written.trusted ?? true
  return {
    rule: written.rule ?? 'asserted',
    read: trusted ? (written.read ?? ['pai', 'rpid', 'from']) : ['from'],
    trusted,
    forwarded: written.forwarded ?? 'own',
    allowed: written.allowed === undefined ? owned : new Set(written.allowed),
    default: written.default ?? companyCallerId,
  }
}

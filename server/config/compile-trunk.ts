import type { Trunk } from '#contract/documents/trunk.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import { inDialect } from '#server/trunks/dialects.ts'
import type { ExpectedPeer } from '#sip/agent.ts'

/** `companyCallerId`: shown when nothing else may be. `owned`: every number of the company, which may be shown unless the trunk says otherwise. */
export function compileTrunk(written: Trunk, companyCallerId: string | null, owned: ReadonlySet<string>): CompiledTrunk {
  const trunk = inDialect(written)
  return {
    id: trunk.id,
    name: trunk.name ?? trunk.id,
    ...peer(trunk),
    ...account(trunk),
    ...numbers(trunk, companyCallerId, owned),
    channels: trunk.channels ?? null,
    codecs: trunk.codecs ?? ['PCMA', 'PCMU'],
    diversion: trunk.diversion ?? 'none',
    identity: trunk.identity ?? 'mark',
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
  const { callerId, numberFormat } = trunk
  const out = numberFormat?.out ?? 'e164-plus'
  const trusted = callerId?.trusted ?? true
  return {
    dialledNumberIn: (trunk.dialledNumberIn ?? 'request-uri').toLowerCase(),
    numberFormat: { in: numberFormat?.in ?? 'e164-plus', out, caller: numberFormat?.caller ?? out },
    userPhone: trunk.userPhone ?? false,
    callerId: {
      rule: callerId?.rule ?? 'asserted',
      read: trusted ? (callerId?.read ?? ['pai', 'rpid', 'from']) : ['from'],
      trusted,
      forwarded: callerId?.forwarded ?? 'own',
      allowed: callerId?.allowed === undefined ? owned : new Set(callerId.allowed),
      default: callerId?.default ?? companyCallerId,
    },
  }
}

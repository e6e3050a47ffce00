import type { Trunk } from '#contract/documents/trunk.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import type { ExpectedPeer } from '#sip/agent.ts'

/** `companyCallerId`: shown when nothing else may be. `owned`: every number of the company, which may be shown unless the trunk says otherwise. */
export function compileTrunk(trunk: Trunk, companyCallerId: string | null, owned: ReadonlySet<string>): CompiledTrunk {
  return {
    id: trunk.id,
    name: trunk.name ?? trunk.id,
    ...peer(trunk),
    ...account(trunk),
    ...numbers(trunk, companyCallerId, owned),
    channels: trunk.channels ?? null,
    codecs: trunk.codecs ?? ['PCMA', 'PCMU'],
    healthSeconds: trunk.healthSeconds ?? 10,
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

function account(trunk: Trunk): Pick<CompiledTrunk, 'register' | 'registerSeconds' | 'username' | 'authUser' | 'password' | 'realms'> {
  return {
    register: trunk.register ?? false,
    registerSeconds: trunk.registerSeconds ?? 600,
    username: trunk.username ?? null,
    authUser: trunk.authUser ?? trunk.username ?? null,
    password: trunk.password ?? null,
    realms: trunk.realms ?? null,
  }
}

function numbers(
  trunk: Trunk,
  companyCallerId: string | null,
  owned: ReadonlySet<string>,
): Pick<CompiledTrunk, 'dialledNumberIn' | 'numberFormat' | 'callerId'> {
  return {
    dialledNumberIn: (trunk.dialledNumberIn ?? 'request-uri').toLowerCase(),
    numberFormat: { in: trunk.numberFormat?.in ?? 'e164-plus', out: trunk.numberFormat?.out ?? 'e164-plus' },
    callerId: {
      rule: trunk.callerId?.rule ?? 'asserted',
      allowed: trunk.callerId?.allowed === undefined ? owned : new Set(trunk.callerId.allowed),
      default: trunk.callerId?.default ?? companyCallerId,
    },
  }
}

import { isIP } from 'node:net'
import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Finding } from '#contract/api/operation.ts'
import { formatHostPort } from '#sip/message/host.ts'
import { DnsClient, nameServer, type NameServer, systemServers } from '#sip/transport/dns-client.ts'
import { bad, warning, well } from '#server/doctor/findings.ts'

const check = 'name servers'

/**
 * Asks each name server by itself for a name that calls depend on: addresses that are remembered hide for an hour that nobody answers any more,
 * and one that is silent costs every look-up a second and a half.
 */
export async function examineNameServers(
  configured: readonly string[],
  hosts: readonly string[],
  needs: { clock: Clock; random: Random },
): Promise<Finding[]> {
  const name = hosts.find((host) => isIP(host) === 0 && host.includes('.'))
  if (name === undefined) return [well(check, 'no trunk is found by name')]
  const servers = configured.length > 0 ? configured.flatMap((text) => nameServer(text) ?? []) : systemServers()
  if (servers.length === 0)
    return [bad(check, `there is none to ask for ${name}`, 'Name them in CENTRALA_DNS_SERVERS, or in /etc/resolv.conf of this machine.')]
  return Promise.all(servers.map((server) => ask(server, name, needs)))
}

async function ask(server: NameServer, name: string, { clock, random }: { clock: Clock; random: Random }): Promise<Finding> {
  const at = formatHostPort(server.address, server.port)
  const begun = clock.now()
  const answer = await new DnsClient(
    clock,
    random,
    () => [server],
    () => new Map(),
  ).ask(name, 'A')
  if (answer.kind !== 'failed') return well(check, `${at} answers for ${name} within ${Math.round(clock.now() - begun)} ms`)
  return warning(
    check,
    `${at}, asked for ${name}: ${answer.why}`,
    'Check that it runs and that UDP port 53 to it is open, or name others in CENTRALA_DNS_SERVERS.',
  )
}

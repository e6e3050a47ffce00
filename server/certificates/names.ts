import { networkInterfaces } from 'node:os'
import { isIP } from 'node:net'

/** A name that a certificate can hold: labels of letters, digits and hyphens. */
const hostName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/**
 * For whom a certificate of our own is: what the operator names, this machine's name, and the addresses we can be
 * reached at. Each once.
 */
export function namesToCertify(from: { configured: readonly string[]; machine: string; publicAddress: string | null }): string[] {
  const names = [...from.configured, from.machine, 'localhost']
    .map((name) => name.toLowerCase())
    .filter((name) => hostName.test(name) || isIP(name) !== 0)
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const addresses = interfaces.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'))
  return [...new Set([...names, ...(from.publicAddress === null ? [] : [from.publicAddress]), ...addresses])]
}

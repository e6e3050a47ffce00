import type { Binding } from '#sip/registrar/binding.ts'

/**
 * Contacts by device, in their order: the flows of one instance are alternatives, of which no two may be used for one request
 * (RFC 5626 §7); any other contact stands alone.
 */
export function byDevice(contacts: readonly Binding[]): Binding[][] {
  const flows = new Map<string, Binding[]>()
  const devices: Binding[][] = []
  for (const binding of contacts) {
    const { instance, outbound } = binding
    const flowOf = outbound === true ? instance : null
    const known = flowOf === null ? undefined : flows.get(flowOf)
    if (known !== undefined) {
      known.push(binding)
      continue
    }
    const alternatives = [binding]
    if (flowOf !== null) flows.set(flowOf, alternatives)
    devices.push(alternatives)
  }
  return devices
}

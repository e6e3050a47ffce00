import type { KeyObject } from 'node:crypto'
import type { Vault } from '#calls/needs.ts'
import { seal, SealBrokenError, unseal } from '#server/config-store/seal.ts'

/** Seals what calls keep under the key of this system, so that the keys of encrypted media are nowhere on disk in clear. */
export function vaultOf(key: KeyObject): Vault {
  return {
    seal: (text, place) => seal(key, text, place),
    unseal: (sealed, place) => {
      try {
        return unseal(key, sealed, place)
      } catch (fault) {
        if (fault instanceof SealBrokenError) return null
        throw fault
      }
    },
  }
}

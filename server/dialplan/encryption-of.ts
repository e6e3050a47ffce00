import type { Encryption } from '#calls/encryption.ts'
import type { CompiledConfig, CompiledDevice, CompiledTrunk } from '#server/config/compiled.ts'

/** Whether the audio of a device or trunk is encrypted, as its document and the company's say. */
export function encryptionOf({ company }: CompiledConfig, { encryption }: Pick<CompiledDevice | CompiledTrunk, 'encryption'>): Encryption {
  return { use: encryption, keysInClear: company.mediaKeysInClear === true }
}

import type { Clock, Millis } from '#base/clock.ts'
import type { ConfigStore } from '#server/config-store/index.ts'
import type { PromptFiles } from '#server/prompts/prompt-files.ts'

/** Whoever brings a sound and then makes the version that plays it has so long. */
const graceMs: Millis = 24 * 3_600_000

/** Removes the former sounds of every company to which no version of its configuration refers. Without the database nothing is known, and nothing removed. */
export async function pruneSounds(needs: {
  configs: Pick<ConfigStore, 'tenants' | 'everIn'>
  files: Pick<PromptFiles, 'prune'>
  clock: Clock
}): Promise<void> {
  const { configs, files, clock } = needs
  for (const tenant of configs.tenants()) await files.prune(tenant, await configs.everIn(tenant, 'sha256'), clock.wall() - graceMs)
}

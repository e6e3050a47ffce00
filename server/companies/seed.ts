import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#base/log.ts'
import { applyConfiguration, type ApplyNeeds } from '#server/companies/apply.ts'
import type { Tenants } from '#server/tenants/index.ts'

export interface SeedNeeds extends ApplyNeeds {
  tenants: Tenants
  /** `examples/demo`. */
  examples: string
  /** `<data>/prompts`. */
  prompts: string
  /** Port of the demo carrier, put in place of the one in the files. */
  carrierPort: number
  log: Log
}

/** The company that a system without any begins with. */
export const demoTenant = 'demo'

/** Loads the demo company when there is no company yet. */
export async function seedDemo(needs: SeedNeeds): Promise<void> {
  if ((await needs.tenants.list()).length > 0) return
  const names = (await readdir(needs.examples)).filter((name) => name.endsWith('.yaml')).toSorted()
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      text: (await readFile(join(needs.examples, name), 'utf8')).replace(/^port: 5070$/m, `port: ${needs.carrierPort}`),
    })),
  )
  const folder = join(needs.prompts, demoTenant)
  await mkdir(folder, { recursive: true })
  await cp(join(needs.examples, 'prompts'), join(folder, 'prompts'), { recursive: true })
  await needs.tenants.create({ id: demoTenant, name: 'Demo' })
  const result = await applyConfiguration(needs, demoTenant, {
    wanted: { files },
    author: 'Centrala',
    comment: 'The demo company',
  })
  if (result.kind === 'refused') needs.log.error('the demo company is not sound', { problems: result.problems.slice(0, 10) })
}

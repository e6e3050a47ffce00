import { execFile } from 'node:child_process'
import { join } from 'node:path'

/** What `npx centrala <words>` prints and exits with, in an installation of these settings. */
export function centrala(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<{ code: number; text: string }> {
  const launcher = join(import.meta.dirname, '..', '..', 'tools', 'centrala.mjs')
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [launcher, ...words], options, (fault, stdout, stderr) => {
      resolve({ code: fault === null ? 0 : Number(fault.code), text: stdout + stderr })
    })
  })
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { join } from 'node:path'
import type { Log } from '#base/log.ts'

export interface Ahead {
  /** Folders of the program, absolute. */
  folders: readonly string[]
  /** Options of Node and V8 that the processes get: code is kept for those it was compiled with. */
  runtime: readonly string[]
  log: Log
}

/**
 * Compiles what changed since the last time in a process that ends, for all that are started then. A process that finds something changed loads
 * the compiler of TypeScript, nearly two seconds of work, and keeps it, 10 to 20 MB. Does nothing where Node keeps no compiled code
 * (NODE_COMPILE_CACHE); when it fails, each process compiles for itself.
 */
export async function compileAhead({ folders, runtime, log }: Ahead): Promise<void> {
  const cache = getCompileCacheDir()
  if (cache === undefined) return
  try {
    const files = folders.flatMap(sourcesIn)
    const state = `${files.length} files, the youngest of ${Math.max(...files.map((file) => statSync(file).mtimeMs))}`
    const stamp = join(cache, 'compiled-ahead')
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
    // First: where nothing can be written, nothing compiled would be kept.
    writeFileSync(stamp, '')
    await compile(files, runtime)
    writeFileSync(stamp, state)
  } catch (fault) {
    log.warn('could not compile ahead', { fault: fault instanceof Error ? fault.message : String(fault) })
  }
}

async function compile(files: readonly string[], runtime: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, 'compile-all.ts')
  const child = spawn(process.execPath, [...runtime, program, ...files], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()))
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`ended with ${code ?? signal}: ${said.slice(0, 1_000)}`)
}

function sourcesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).map((name) => join(folder, name))
}

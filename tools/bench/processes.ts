import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second in /proc, as everywhere on Linux. */
const TICKS = 100

/** CPU seconds, user and system, that the processes and all their threads have taken since they began. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS
}

function ticksOf(pid: number): number {
  const fields = statOf(pid)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** Fields of /proc/PID/stat from the third on; none when the process is gone. */
function statOf(pid: number): string[] {
  const text = readOr(`/proc/${pid}/stat`)
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Idle seconds of one core. */
export function idleSeconds(core: number): number {
  const fields =
    readOr('/proc/stat')
      .split('\n')
      .find((line) => line.startsWith(`cpu${core} `))
      ?.split(' ') ?? []
  return (Number(fields[4] ?? 0) + Number(fields[5] ?? 0)) / TICKS
}

/** Memory in kB: `rss` counts pages shared with other processes in full, `pss` by its share; `own` are those that no other process maps. */
export function memoryOf(pid: number): { rss: number; pss: number; own: number } {
  const text = readOr(`/proc/${pid}/smaps_rollup`)
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { rss: field('Rss'), pss: field('Pss'), own: field('Private_Clean') + field('Private_Dirty') }
}

/** Children of a process, by the words they were started with. */
export function childrenOf(pid: number): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(statOf(Number(name))[1]) === pid)
    .map((name) => ({ pid: Number(name), command: readOr(`/proc/${name}/cmdline`).replaceAll('\0', ' ') }))
}

/** The process and everything below it. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap((child) => familyOf(child.pid))]
}

/** Ties a process and all its threads to one core. */
export function pin(pid: number, core: number): void {
  execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' })
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { EndMode, Launch, LaunchEvents, Running } from '#server/keeper/kept.ts'
import { childMessageOf, type ParentMessage, standbyFlag } from '#server/keeper/messages.ts'

export interface ChildSpec {
  /** A TypeScript entry, absolute. */
  entry: string
  arguments?: readonly string[]
  /** Options of Node and V8, before the entry. */
  runtime?: readonly string[]
  /** Added to the keeper's own environment; asked at each start. */
  environment?: () => Record<string, string>
  /** Each line it prints, on either stream. */
  onLine: (line: string) => void
}

/**
 * For glibc; other C libraries do not know these. One heap, not one per thread: nearly all the work is one thread's. And what is large is always
 * mapped by itself, so that it is given back when it is freed: otherwise what the start needs for a moment stays, some 30 MB together.
 */
const memory = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' }

/**
 * Launches Node processes that speak `messages.ts`. Each child leads a process group of its own, so that an interrupt typed in
 * the terminal reaches the keeper only, which then decides the order of ends.
 */
export function childProcess(spec: ChildSpec): Launch {
  return (events, standingBy) => {
    const words = [...(spec.arguments ?? []), ...(standingBy ? [standbyFlag] : [])]
    const child = spawn(process.execPath, [...(spec.runtime ?? []), spec.entry, ...words], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: { ...memory, ...process.env, ...spec.environment?.() },
    })
    forwardLines(child.stdout, spec.onLine)
    forwardLines(child.stderr, spec.onLine)
    listen(child, events)
    return runningOf(child)
  }
}

function listen(child: ChildProcess, events: LaunchEvents): void {
  let refused: string | null = null
  let ended = false
  const end = (why: string): void => {
    if (ended) return
    ended = true
    events.onEnded({ why, refused })
  }
  child.on('message', (value) => {
    const message = childMessageOf(value)
    if (message?.kind === 'ready') events.onReady(message.banner ?? null)
    if (message?.kind === 'standing-by') events.onStandingBy?.()
    if (message?.kind === 'pong') events.onPong?.()
    if (message?.kind === 'refused') refused = message.why
  })
  child.on('error', (error) => {
    if (child.pid === undefined) end(`could not be started: ${error.message}`)
  })
  child.on('exit', (code, signal) => {
    // The last words may still be in the channel when the exit is known.
    if (child.connected) child.once('disconnect', () => end(whyOf(code, signal)))
    else end(whyOf(code, signal))
  })
}

function whyOf(code: number | null, signal: string | null): string {
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`
}

function forwardLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine)
}

const signalOf: Record<Exclude<EndMode, 'hand-over'>, NodeJS.Signals> = { drain: 'SIGTERM', now: 'SIGINT', kill: 'SIGKILL' }

function runningOf(child: ChildProcess): Running {
  return {
    pid: child.pid ?? null,
    end: (mode) => (mode === 'hand-over' ? tell(child, { kind: 'hand-over' }) : void child.kill(signalOf[mode])),
    go: () => tell(child, { kind: 'go' }),
    ping: () => tell(child, { kind: 'ping' }),
    isStopped: () => child.pid !== undefined && isStopped(child.pid),
  }
}

/** A child that is going away does not listen any more; its end is told soon. */
function tell(child: ChildProcess, message: ParentMessage): void {
  if (child.connected) child.send(message, () => undefined)
}

/** Whether the system holds a process stopped (SIGSTOP, a debugger). Known on Linux only (proc_pid_stat(5)); elsewhere false. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

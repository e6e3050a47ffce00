import { spawn } from 'node:child_process'

/** How a program ended: `missing` when there is no such program. */
export type ProgramEnd = { kind: 'done' } | { kind: 'missing' } | { kind: 'timeout' } | { kind: 'failed'; why: string }

const LONGEST_COMPLAINT = 2000

/** Runs a program without a shell, `input` on its standard input, and kills it after `timeoutMs`. Never rejects. */
export function runProgram(program: string, args: readonly string[], io: { input: string; timeoutMs: number }): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], timeout: io.timeoutMs, killSignal: 'SIGKILL' })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < LONGEST_COMPLAINT) complaint += text
    })
    // A program that ends without reading its input breaks the pipe; how it ended says more.
    child.stdin.on('error', () => undefined)
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', why: error.message }),
    )
    child.on('close', (code, signal) => {
      if (code === 0) resolve({ kind: 'done' })
      else if (signal === 'SIGKILL') resolve({ kind: 'timeout' })
      else resolve({ kind: 'failed', why: complaint.trim().slice(0, LONGEST_COMPLAINT) || `ended with ${code ?? signal}` })
    })
    child.stdin.end(io.input)
  })
}

/** One line that a process printed, understood as far as it can be. */
export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  /** Milliseconds since the Unix epoch; null when the line has no instant of its own. */
  at: number | null
  message: string
  fields: Record<string, unknown>
}

/** Pino's numbers. */
const levels = { debug: 20, info: 30, warn: 40, error: 50 } as const

/** Members of every line, of no interest to a person at a terminal. */
const plumbing = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'process'])

/** Reads a line of pino's JSON; anything else (a stack, a warning of Node) is its own message. */
export function parseLogLine(line: string): LogLine {
  const json = line.startsWith('{') ? parseObject(line) : null
  if (json === null) return { level: 'warn', at: null, message: line, fields: {} }
  const fields = Object.fromEntries(Object.entries(json).filter(([name]) => !plumbing.has(name)))
  const at = typeof json['time'] === 'number' ? json['time'] : null
  return { level: levelOf(json['level']), at, message: textOf(json['msg']), fields }
}

/** The line as it goes to the file: JSON, always with the name of the process. */
export function toFileLine(process: string, line: LogLine, now: number): string {
  return JSON.stringify({ level: levels[line.level], time: line.at ?? now, process, msg: line.message, ...line.fields })
}

/** The line as a person reads it: `14:05:09 server   call answered  call=c-17 ringMs=2300`. */
export function toTerminalLine(process: string, line: LogLine, now: number): string {
  const time = new Date(line.at ?? now).toTimeString().slice(0, 8)
  const mark = { debug: '', info: '', warn: 'warning: ', error: 'error: ' }[line.level]
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${shown(value)}`)
  return [`${time} ${process.padEnd(12)} ${mark}${line.message}`, ...fields].join('  ')
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text ?? 'undefined'
}

function textOf(message: unknown): string {
  return typeof message === 'string' ? message : ''
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

/** Pino's number, or its name. */
function levelOf(level: unknown): LogLine['level'] {
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level
  if (typeof level !== 'number' || level < levels.info) return 'debug'
  if (level < levels.warn) return 'info'
  return level < levels.error ? 'warn' : 'error'
}

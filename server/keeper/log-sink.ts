import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type LogLine, parseLogLine, toFileLine, toTerminalLine } from '#server/keeper/log-lines.ts'

/** Where lines go. */
export interface LogOutputs {
  clock: Clock
  /** Every line, as JSON. */
  file: { writeLine(line: string): void }
  /** For people; lines of level `info` and above. */
  terminal: { writeLine(line: string): void }
}

/** Takes the lines of all processes to the log file and to the terminal. */
export class LogSink {
  readonly #outputs: LogOutputs

  constructor(outputs: LogOutputs) {
    this.#outputs = outputs
  }

  /** A line that `process` printed. */
  line(process: string, text: string): void {
    if (text.trim() !== '') this.#write(process, parseLogLine(text))
  }

  /** The keeper's own log. */
  log(process: string, context: Record<string, unknown> = {}): Log {
    const write = (level: LogLine['level'], message: string, fields?: Record<string, unknown>): void =>
      this.#write(process, { level, at: null, message, fields: { ...context, ...fields } })
    return {
      debug: (message, fields) => write('debug', message, fields),
      info: (message, fields) => write('info', message, fields),
      warn: (message, fields) => write('warn', message, fields),
      error: (message, fields) => write('error', message, fields),
      child: (fields) => this.log(process, { ...context, ...fields }),
    }
  }

  #write(process: string, line: LogLine): void {
    const now = this.#outputs.clock.wall()
    this.#outputs.file.writeLine(toFileLine(process, line, now))
    if (line.level !== 'debug') this.#outputs.terminal.writeLine(toTerminalLine(process, line, now))
  }
}

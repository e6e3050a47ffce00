import { destination, pino, type Logger } from 'pino'
import type { Log } from '#base/log.ts'
import type { LogLevel } from '#server/settings.ts'

/** Log lines as JSON on standard output, where the keeper collects them. */
export function openLog(level: LogLevel): Log {
  // Asynchronous: a reader that stands still must not hold up signalling.
  return wrap(pino({ level, base: null, formatters: { level: (label) => ({ level: label }) } }, destination({ dest: 1, sync: false })))
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  }
}

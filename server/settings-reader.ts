import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { Check } from 'typebox/schema'

/** Where settings come from; the environment wins over the file. */
export interface Sources {
  environment: Readonly<Record<string, string | undefined>>
  /** The folder of the project: holds `centrala.config`, and `data` unless told otherwise. Absolute. */
  project: string
}

/** One or more settings are wrong; the message has a line for each. */
export class SettingsError extends Error {
  override name = 'SettingsError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** The optional file of settings in the project's folder, lines of `NAME=value`. */
export const settingsFile = 'centrala.config'

interface Given {
  text: string
  /** Where it stands, for messages: `centrala.config:3`, or `environment`. */
  place: string
}

/** Takes settings one by one and remembers what is wrong, so that all of it can be told at once. */
export class SettingsReader {
  #given: Map<string, Given>
  #known = new Set<string>()
  #problems: string[] = []

  constructor(sources: Sources) {
    this.#given = this.#readFile(join(sources.project, settingsFile))
    for (const [name, text] of Object.entries(sources.environment)) {
      if (text !== undefined && text !== '') this.#given.set(name, { text, place: 'environment' })
    }
  }

  /** The setting's value, or `fallback` when it is not given, or is wrong (then `finish` throws). The schema's description says what is expected. */
  one<T extends TSchema, F extends Static<T> | null>(name: string, schema: T, fallback: F): Static<T> | F {
    this.#known.add(name)
    const given = this.#given.get(name)
    if (given === undefined) return fallback
    const value = valueOf(given.text.trim(), schema)
    if (Check(schema, value)) return value
    this.refuse(name, `must be ${descriptionOf(schema)}; it is "${hideSecret(given.text)}"`)
    return fallback
  }

  /** Notes a problem found by the caller, such as two settings that do not fit each other. */
  refuse(name: string, why: string): void {
    const place = this.#given.get(name)?.place ?? 'default'
    this.#problems.push(`${place}: ${name} ${why}`)
  }

  /** The names asked for, in order. */
  get known(): readonly string[] {
    return [...this.#known]
  }

  /** @throws SettingsError with everything that was wrong, misspelt names included. */
  finish(): void {
    for (const [name, given] of this.#given) {
      const ours = name.startsWith('CENTRALA_') || given.place !== 'environment'
      if (ours && !this.#known.has(name))
        this.#problems.push(`${given.place}: ${name} is not a setting; the settings stand in docs/settings.md`)
    }
    if (this.#problems.length > 0) throw new SettingsError(this.#problems)
  }

  #readFile(path: string): Map<string, Given> {
    const given = new Map<string, Given>()
    if (!existsSync(path)) return given
    for (const [index, raw] of readFileSync(path, 'utf8').split('\n').entries()) {
      const line = raw.trim()
      if (line === '' || line.startsWith('#')) continue
      const place = `${settingsFile}:${index + 1}`
      const equals = line.indexOf('=')
      if (equals < 1) this.#problems.push(`${place}: expected NAME=value`)
      else given.set(line.slice(0, equals).trim(), { text: unquote(line.slice(equals + 1).trim()), place })
    }
    return given
  }
}

function unquote(text: string): string {
  const quoted = /^"(.*)"$/.exec(text) ?? /^'(.*)'$/.exec(text)
  return quoted?.[1] ?? text
}

/** Text as the schema's kind of value; text that is not of that kind stays text, so that the check refuses it. */
function valueOf(text: string, schema: TSchema): unknown {
  const kind = 'type' in schema ? schema.type : null
  if (kind === 'array') return text.split(',').map((part) => part.trim())
  if (kind === 'integer') return /^\d{1,9}$/.test(text) ? Number(text) : text
  if (kind === 'boolean') return { on: true, off: false }[text] ?? text
  return text
}

function descriptionOf(schema: TSchema): string {
  return 'description' in schema ? String(schema.description) : 'another value'
}

/** A URL's password must not reach the terminal or a log. */
function hideSecret(text: string): string {
  return text.replace(/(:\/\/[^:@/]*):[^@]*@/, '$1:***@')
}

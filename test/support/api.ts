import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '#server/settings.ts'

/** What the API answered. */
export interface ApiAnswer {
  status: number
  headers: Headers
  text: string
  /** Parsed, where it is JSON; else null. */
  body: unknown
}

/** One asker of a running system's API: a key, and for an operator's key the company it is used for. */
export class Api {
  readonly url: string
  readonly key: string
  readonly company: string | null

  constructor(url: string, key: string, company: string | null = null) {
    this.url = url
    this.key = key
    this.company = company
  }

  /** With a key that the system left for its own user. */
  static async of(settings: Settings, key: 'operator' | 'page', company: string | null = null): Promise<Api> {
    const text = await readFile(join(settings.folders.data, `${key}.key`), 'utf8')
    return new Api(`http://${settings.http.address}:${settings.http.port}`, text.trim(), company)
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(this.company !== null && { 'centrala-company': this.company }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) }
  }

  /** As `ask`, for what must succeed. The caller says what it will be given. */
  async give<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const answer = await this.ask(method, path, body, headers)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.body as T
  }

  get<T>(path: string): Promise<T> {
    return this.give('GET', path)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

import type { Problem } from '#contract/errors.ts'
import { companyHeader } from '#server/api/app.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** The API said no. */
export class Refusal extends Trouble {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.problem = problem
  }
}

export interface ApiAt {
  /** Without a slash at the end. */
  url: string
  key: string
  /** Null: requests that are about no company, or a company's own key. */
  company: string | null
  /** What to say when nobody answers there. */
  away: () => Error
}

export interface Ask {
  body?: unknown
  headers?: Readonly<Record<string, string>>
}

/** Centrala's REST API for programs on this machine. Throws Refusal, or what `away` gives. */
export class ApiClient {
  readonly at: ApiAt

  constructor(at: ApiAt) {
    this.at = at
  }

  /** The answer is what the API's schema says; who asks names its type. */
  async get<T>(path: string): Promise<T> {
    return (await (await this.#ask('GET', path)).json()) as T
  }

  async send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, ask: Ask = {}): Promise<T> {
    const response = await this.#ask(method, path, ask)
    return (response.status === 204 ? undefined : await response.json()) as T
  }

  async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#ask('GET', path)).arrayBuffer())
  }

  async #ask(method: string, path: string, ask: Ask = {}): Promise<Response> {
    const { url, key, company, away } = this.at
    const raw = ask.body instanceof Uint8Array
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(company !== null && { [companyHeader]: company }),
        ...(ask.body !== undefined && !raw && { 'content-type': 'application/json' }),
        ...ask.headers,
      },
      ...(ask.body !== undefined && { body: ask.body instanceof Uint8Array ? Buffer.from(ask.body) : JSON.stringify(ask.body) }),
    }).catch((fault: unknown) => {
      throw isRefusedConnection(fault) ? away() : fault
    })
    if (!response.ok) throw new Refusal(await problemOf(response))
    return response
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text()
  try {
    return JSON.parse(text) as Problem
  } catch {
    return { type: 'about:blank', title: text.slice(0, 200), status: response.status, code: 'internal' }
  }
}

function isRefusedConnection(fault: unknown): boolean {
  return fault instanceof TypeError && fault.cause instanceof Error && 'code' in fault.cause && fault.cause.code === 'ECONNREFUSED'
}

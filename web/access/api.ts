import type { CallPageView, LadderView, NewCall, StartedCall, TimelineView } from '#contract/api/calls.ts'
import type { Problem } from '#contract/errors.ts'

/** What the server said: a value, or why not. `away`: nothing came back. */
export type Answer<T> = { kind: 'ok'; value: T } | { kind: 'refused'; problem: Problem } | { kind: 'away' }

/** The few requests that the page makes, with its key. */
export class Api {
  readonly #key: string

  constructor(key: string) {
    this.#key = key
  }

  /** The latest calls, newest first. */
  history(limit: number): Promise<Answer<CallPageView>> {
    return this.#ask(`/v1/calls?limit=${limit}`)
  }

  timeline(call: string): Promise<Answer<TimelineView>> {
    return this.#ask(`/v1/calls/${encodeURIComponent(call)}/timeline`)
  }

  ladder(call: string): Promise<Answer<LadderView>> {
    return this.#ask(`/v1/calls/${encodeURIComponent(call)}/ladder`)
  }

  /** Whether the key is taken at all. */
  ping(): Promise<Answer<unknown>> {
    return this.#ask('/v1/calls/live')
  }

  /** `once`: the same for a repetition of the same wish, so that it is done once. */
  place(call: NewCall, once: string): Promise<Answer<StartedCall>> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': once }
    return this.#ask('/v1/calls', { method: 'POST', headers, body: JSON.stringify(call) })
  }

  hangUp(call: string): Promise<Answer<null>> {
    return this.#ask(`/v1/calls/${encodeURIComponent(call)}`, { method: 'DELETE' })
  }

  /** Somebody is called into a conference. `once`: as of `place`. */
  invite(conference: string, to: string, once: string): Promise<Answer<StartedCall>> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': once }
    return this.#ask(`/v1/conferences/${encodeURIComponent(conference)}/members`, { method: 'POST', headers, body: JSON.stringify({ to }) })
  }

  lock(conference: string, locked: boolean): Promise<Answer<null>> {
    return this.#change(`/v1/conferences/${encodeURIComponent(conference)}`, { locked })
  }

  mute(conference: string, leg: string, muted: boolean): Promise<Answer<null>> {
    return this.#change(memberAt(conference, leg), { muted })
  }

  /** A member has to leave. */
  letGo(conference: string, leg: string): Promise<Answer<null>> {
    return this.#ask(memberAt(conference, leg), { method: 'DELETE' })
  }

  /** The audio as bytes: a media element cannot send the key by itself. `gone`: deleted in its time, at that instant. */
  async recording(id: string): Promise<Answer<Blob> | { kind: 'gone'; at: number }> {
    const path = `/v1/recordings/${encodeURIComponent(id)}`
    const response = await this.#send(`${path}/audio`)
    if (response === null) return { kind: 'away' }
    if (response.ok) return { kind: 'ok', value: await response.blob() }
    const problem = await problemOf(response)
    if (problem.code !== 'gone') return { kind: 'refused', problem }
    const row = await this.#ask<{ expiredAt: number | null }>(path)
    return row.kind === 'ok' && row.value.expiredAt !== null ? { kind: 'gone', at: row.value.expiredAt } : { kind: 'refused', problem }
  }

  /** The call's packets as bytes of a file. */
  async capture(call: string): Promise<Answer<Blob>> {
    const response = await this.#send(`/v1/calls/${encodeURIComponent(call)}/capture`)
    if (response === null) return { kind: 'away' }
    return response.ok ? { kind: 'ok', value: await response.blob() } : { kind: 'refused', problem: await problemOf(response) }
  }

  #change(path: string, change: object): Promise<Answer<null>> {
    return this.#ask(path, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify(change) })
  }

  async #ask<T>(path: string, init: RequestInit = {}): Promise<Answer<T>> {
    const response = await this.#send(path, init)
    if (response === null) return { kind: 'away' }
    if (!response.ok) return { kind: 'refused', problem: await problemOf(response) }
    // The server validated it against the contract before it was sent.
    return { kind: 'ok', value: (response.status === 204 ? null : await response.json()) as T }
  }

  async #send(path: string, init: RequestInit = {}): Promise<Response | null> {
    try {
      return await fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${this.#key}` } })
    } catch {
      return null
    }
  }
}

function memberAt(conference: string, leg: string): string {
  return `/v1/conferences/${encodeURIComponent(conference)}/members/${encodeURIComponent(leg)}`
}

/** A value that nobody else will choose. Works on pages without TLS too, where `crypto.randomUUID` does not. */
export function onceKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem
  } catch {
    return { type: 'about:blank', title: response.statusText, status: response.status, code: 'internal' }
  }
}

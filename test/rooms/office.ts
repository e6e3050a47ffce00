import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { goertzel, goertzelCoefficient } from '#media/dtmf/goertzel.ts'
import { until } from '#test/support/sounds.ts'
import { header } from '#test/support/wire.ts'
import { type WireCall, WirePhone } from '#test/support/wire-phone.ts'
import { acme, AcmeSystem, type Doc } from '#test/trunks/acme.ts'

/** Each phone speaks with a tone of its own, so that it is known by whom it is heard. */
export const toneOf = { '100': 500, '101': 700, '102': 1_100, '200': 1_500 } as const
export type User = keyof typeof toneOf
const users = Object.keys(toneOf) as User[]

const password = 'correct horse battery'
/** The last so many samples are looked at. */
const window = 1_600
/** Amplitudes of a tone that is there, and of one that is not. */
const loud = 1_500
const faint = 400

const documents: Doc[] = acme(
  ...users.slice(1).flatMap((user): Doc[] => [
    { kind: 'device', id: `d${user}`, username: user, password, algorithms: ['MD5'] },
    { kind: 'extension', id: user, number: user, target: { device: `d${user}` } },
  ]),
  { kind: 'conference', id: 'weekly', name: 'Weekly', pin: '4711', moderatorPin: '9911', tones: false, music: false },
  { kind: 'extension', id: '800', number: '800', target: { conference: 'weekly' } },
  { kind: 'conference', id: 'open', tones: false, music: false },
  { kind: 'extension', id: '801', number: '801', target: { conference: 'open' } },
  { kind: 'monitoring', id: 'coaching', supervisors: ['200'], agents: ['101'], tone: false },
)

/** A phone in a call, speaking its tone. */
export class Speaker implements Disposable {
  readonly user: User
  readonly call: WireCall
  readonly #speaking: Disposable

  constructor(user: User, call: WireCall) {
    this.user = user
    this.call = call
    this.#speaking = call.phone.ear.speak(call.audioAt, toneOf[user])
    call.phone.ear.forget()
  }

  /** Whose tones it has heard in the last 200 ms; null: too little yet, or something between loud and faint. */
  get hears(): readonly User[] | null {
    const { pcm } = this.call.phone.ear
    if (pcm.length < window) return null
    const part = pcm.subarray(pcm.length - window)
    const levels = users.map((user) => Math.sqrt((goertzel(part, goertzelCoefficient(toneOf[user])) * 2) / window))
    if (levels.some((level) => level > faint && level < loud)) return null
    return users.filter((_, i) => (levels[i] ?? 0) >= loud)
  }

  [Symbol.dispose](): void {
    this.#speaking[Symbol.dispose]()
  }
}

/** Resolves when each speaker hears exactly those, all at the same time. */
export async function hear(...expected: readonly (readonly [Speaker, readonly User[]])[]): Promise<void> {
  for (const [{ call }] of expected) call.phone.ear.forget()
  const shown = () => expected.map(([{ user, hears }]) => `${user} hears ${hears?.join(' ') ?? '?'}`)
  const wanted = expected.map(([{ user }, others]) => `${user} hears ${others.join(' ')}`)
  try {
    await until('everybody hears who they should', () => Promise.resolve(shown().join() === wanted.join()))
  } catch {
    assert.deepEqual(shown(), wanted)
  }
}

/** A company with four phones, conferences, and a supervisor. */
export class Office implements AsyncDisposable {
  readonly at: AcmeSystem
  readonly phones: ReadonlyMap<User, WirePhone>

  private constructor(at: AcmeSystem, phones: ReadonlyMap<User, WirePhone>) {
    this.at = at
    this.phones = phones
  }

  /** `more`: documents beside its own. */
  static async start(...more: Doc[]): Promise<Office> {
    const at = await AcmeSystem.start([...documents, ...more])
    const phones = new Map<User, WirePhone>([['100', at.phone]])
    for (const user of users.slice(1)) phones.set(user, await WirePhone.open({ user, domain: 'acme.test', password }, at.sip))
    for (const phone of phones.values()) assert.equal((await phone.register()).status, 200)
    return new Office(at, phones)
  }

  phone(user: User): WirePhone {
    const phone = this.phones.get(user)
    if (phone === undefined) throw new Error(`there is no phone ${user}`)
    return phone
  }

  /** One calls a room, or somebody who answers. A server that has just begun again on a busy machine may say that it is late: then again. */
  async calls(user: User, dialled: string): Promise<Speaker> {
    let call = await this.phone(user).call(dialled)
    for (let tries = 1; call.status === 503 && tries < 5; tries++) {
      await pause(Number.parseInt(header(call.message, 'retry-after'), 10) * 1_000)
      call = await this.phone(user).call(dialled)
    }
    assert.equal(call.status, 200, call.message.first)
    return new Speaker(user, call)
  }

  /** The next call for a phone, answered. */
  async answers(user: User): Promise<Speaker> {
    return new Speaker(user, await this.phone(user).answered())
  }

  async talk(from: User, to: User): Promise<[Speaker, Speaker]> {
    const answering = this.phone(to).answered()
    const caller = await this.calls(from, to)
    return [caller, new Speaker(to, await answering)]
  }

  /** The server is killed, as by an operating system short of memory, once `kept` is on disk; resolves when it serves again. */
  async killServer(kept: RegExp): Promise<void> {
    const { system } = this.at
    await system.kept(kept)
    const from = system.lines.length
    process.kill(await system.pidOf('server'), 'SIGKILL')
    await system.line(/serves again\s+process=server/, from)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const phone of this.phones.values()) if (phone !== this.at.phone) await phone[Symbol.asyncDispose]()
    await this.at[Symbol.asyncDispose]()
  }
}

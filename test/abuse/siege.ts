import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { assertNoStall, type Figures, figuresOf } from '#test/abuse/figures.ts'
import { nowhere } from '#test/abuse/flood.ts'
import { EngineWatch } from '#test/abuse/engine-watch.ts'
import { soundsWell, undisturbed, worstHeard } from '#test/abuse/listening.ts'
import { Api, callPair, calls, caughtUp, documents, domain, longestGap, type Pair, password } from '#test/survival/company.ts'
import { claimPorts } from '#test/support/ports.ts'
import { beatFor } from '#test/survival/talker.ts'
import { Town } from '#test/survival/town.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** A ban, as the API tells of it. */
export interface BanSeen {
  id: string
  kind: string
  who: string
  reason: string
  dropped: number
}

/** Nobody may hear a longer silence while the system is attacked. */
const longestGapMs = 60
/** Where the machine itself makes gaps: two packets more than those. */
const addedMs = 40
/** Other work on the machine may disturb one round and not its control: what the attack itself does, it does in each. */
const rounds = 3
/** Of the fifty pairs so many speak all the time, and are listened to; the others say a word each second. */
const heard = 10
/**
 * So much of the machine's memory may be taken, as a share of what was before: while the system is attacked, when that is over and the fifty still
 * talk, and when nobody calls any more. And while it is attacked so many bytes more: V8 lets what ordinary calls leave become about as much as what
 * lives before it looks for it, and no attacker has a hand in that.
 */
const mostTimes = { attacked: 1.2, after: 1.2, idle: 1.05 }
const usualMoreBytes = 80_000_000
/** It is collected when hardly anything has been asked for half a minute, but not within a minute of the last time (base/idle-collection.ts). */
const patienceMs = 110_000

/** A running system with ordinary calls on it, to be attacked. Disposing ends it all and looks for faults in its log. */
export class Siege implements AsyncDisposable {
  readonly system: RunningSystem
  readonly api: Api
  readonly town: Town
  readonly pairs: Pair[]
  readonly #heard: Pair[]
  readonly #beats: readonly Disposable[]
  readonly #server: number
  readonly #ends: boolean
  readonly #before: Figures
  readonly #engine: EngineWatch
  /** The most that was held at the end of an attack, but for what it may take. */
  #attackedBytes = 0
  #isOver = false

  private constructor({
    system,
    api,
    town,
    pairs,
    server,
    ends,
    before,
    engine,
  }: {
    system: RunningSystem
    api: Api
    town: Town
    pairs: Pair[]
    server: number
    ends: boolean
    before: Figures
    engine: EngineWatch
  }) {
    this.system = system
    this.api = api
    this.town = town
    this.pairs = pairs
    this.#ends = ends
    this.#before = before
    this.#engine = engine
    this.#heard = pairs.slice(0, heard)
    const talkers = (pairs: readonly Pair[]) => pairs.flatMap(({ caller, callee }) => [caller.talker, callee.talker])
    const quiet = talkers(pairs.slice(heard))
    const seldom = setInterval(() => {
      for (const talker of quiet) talker.beat()
    }, 1_000)
    this.#beats = [beatFor(talkers(this.#heard)), { [Symbol.dispose]: () => clearInterval(seldom) }]
    this.#server = server
  }

  /** Fifty pairs talk. `also`: documents beside those of the company. */
  static async open(more: Record<string, string> = {}, also: readonly unknown[] = []): Promise<Siege> {
    const system = await RunningSystem.start(more)
    try {
      return await Siege.#on(system, await Api.of(system), { also, ends: true })
    } catch (fault) {
      await system[Symbol.asyncDispose]()
      throw fault
    }
  }

  /** Fifty pairs talk in a company of their own, on a system that is not ours to end. */
  static async on(system: RunningSystem): Promise<Siege> {
    const api = await (await Api.of(system)).found('bystanders')
    return Siege.#on(system, api, { also: [], ends: false })
  }

  static async #on(system: RunningSystem, api: Api, how: { also: readonly unknown[]; ends: boolean }): Promise<Siege> {
    await api.ask('PUT', '/v1/configuration', { documents: [...documents(), ...how.also] })
    await using closing = new AsyncDisposableStack()
    const town = closing.use(await Town.open({ transport: 'udp', address: '127.0.0.1', port: system.settings.sip.port }, domain))
    const users = Array.from({ length: calls + 1 }, (_, i) => [String(1000 + i), String(2000 + i)]).flat()
    await Promise.all(users.map((user) => town.register(user, password)))
    const pairs: Pair[] = []
    for (let i = 0; i < calls; i += 10) {
      pairs.push(...(await Promise.all(Array.from({ length: 10 }, (_, j) => patiently(town, i + j)))))
    }
    const before = await figuresOf(system)
    const engine = closing.use(new EngineWatch(await system.pidOf('engine-0')))
    const server = await system.pidOf('server')
    closing.move()
    return new Siege({ system, api, town, pairs, server, ends: how.ends, before, engine })
  }

  get target(): { address: string; port: number } {
    return { address: '127.0.0.1', port: this.system.settings.sip.port }
  }

  figures(): Promise<Figures> {
    return figuresOf(this.system)
  }

  /**
   * Runs an attack beside the ordinary calls: they hear each other all the while, a new one is made again and again and each succeeds, one is put on
   * hold and taken back, the process lives, nothing holds it up, and no line sounds worse than before. What they hear is compared with the same attack that goes nowhere, so that a
   * busy machine fails nobody.
   */
  async during<T>(attack: (port: number) => Promise<T>): Promise<T> {
    for (let round = 1; ; round++) {
      const control = await this.#watched(() => attack(nowhere))
      const real = await this.#attacked(() => attack(this.target.port))
      const isHeard = real.blamedMs <= longestGapMs || real.gapMs <= control.gapMs + addedMs
      // An attack may spoil for good what carries the audio: what is lost in a control run after it is no measure.
      const calm = round === 1 ? control.mos : control.mosOfAll
      if (isHeard && soundsWell(real.mos, calm)) return real.result
      const told = `somebody hears ${real.mos.toFixed(2)} (MOS), ${calm.toFixed(2)} without; heard nothing for ${real.gapMs} ms (${real.blamedMs} the engine’s), ${control.gapMs} without`
      assert.ok(round < rounds, told)
      process.stderr.write(`round ${round}: ${told}\n`)
    }
  }

  /**
   * As `during`, for what can be done only once. It is compared with stretches that follow, as long and of 2 s at least, in which the machine is as
   * busy and nobody attacks. `takesBytes`: what it may take of memory, since somebody known asks for it.
   */
  async beside<T>(attack: () => Promise<T>, takesBytes = 0): Promise<T> {
    const startedAt = performance.now()
    const real = await this.#attacked(attack, takesBytes)
    const tookMs = Math.max(2_000, performance.now() - startedAt)
    let calmMs = 0
    let calmMos = undisturbed
    const isHarmed = (): boolean => (real.blamedMs > longestGapMs && real.gapMs > calmMs + addedMs) || !soundsWell(real.mos, calmMos)
    for (let round = 1; round <= rounds && isHarmed(); round++) {
      const calm = await this.#watched(() => busy(tookMs))
      calmMs = Math.max(calmMs, calm.gapMs)
      calmMos = Math.min(calmMos, calm.mos)
    }
    assert.ok(
      !isHarmed(),
      `somebody hears ${real.mos.toFixed(2)} (MOS), ${calmMos.toFixed(2)} in the calm; heard nothing for ${real.gapMs} ms (${real.blamedMs} the engine’s), ${calmMs} in the calm`,
    )
    return real.result
  }

  async #attacked<T>(attack: () => Promise<T>, takesBytes = 0): Promise<Watched<T>> {
    const before = await this.figures()
    const watched = await this.#watched(attack)
    assert.equal(await this.system.pidOf('server'), this.#server, 'the server lives')
    this.#allTalk()
    const after = await this.figures()
    assertNoStall(before, after, watched.halts)
    this.#attackedBytes = Math.max(this.#attackedBytes, after.memoryBytes - takesBytes)
    return watched
  }

  async #watched<T>(attack: () => Promise<T>): Promise<Watched<T>> {
    const ears = this.#heard.flatMap(({ caller, callee }) => [caller.talker, callee.talker])
    for (const talker of ears) talker.reset()
    await this.#engine.blame([])
    const over = { yes: false }
    const ordinary = this.#useIt(over)
    const [result] = await Promise.all([attack().finally(() => (over.yes = true)), ordinary])
    const ended = this.#heard.flatMap(({ caller, callee }) => [caller.ended, callee.ended])
    const hungUp = Promise.race(ended).then((why) => assert.fail(`somebody who talks is hung up on: ${JSON.stringify(why)}`))
    await Promise.race([caughtUp(this.#heard), hungUp])
    const silences = ears.flatMap((talker) => talker.silences)
    const lostMs = longestGap(this.#heard)
    const { blamedMs, halts } = await this.#engine.blame(silences)
    const gapMs = Math.round(Math.max(lostMs, ...silences.map(({ from, to }) => to - from)))
    return {
      result,
      halts,
      gapMs,
      blamedMs: Math.round(Math.max(lostMs, blamedMs)),
      mos: worstHeard(this.#heard),
      mosOfAll: worstHeard(this.#heard, 'all'),
    }
  }

  /** What the people of the company do meanwhile. Throws when it fails. */
  async #useIt(over: { yes: boolean }): Promise<void> {
    for (let i = 0; !over.yes || i === 0; i++) {
      const { caller, callee } = await this.#call()
      caller.dialog?.bye()
      await callee.untilEnded()
      this.town.forget(caller, callee)
      const held = this.pairs[heard + (i % (this.pairs.length - heard))]?.caller
      for (const direction of ['sendonly', 'sendrecv'] as const) {
        const answer = await held?.reinvite(direction)
        assert.ok(
          answer !== undefined && 'status' in answer && answer.status === 200,
          `re-INVITE: ${JSON.stringify(answer)} ${JSON.stringify(held?.end)}`,
        )
      }
      await pause(100)
    }
  }

  /** No call of the fifty has ended, those that nobody listens to among them. */
  #allTalk(): void {
    const ends = this.pairs.flatMap(({ caller, callee }) => [caller.end, callee.end]).filter((end) => end !== null)
    assert.deepEqual(ends, [])
  }

  async #call(): Promise<Pair> {
    return patiently(this.town, calls)
  }

  /** Waits until a figure is as wanted: what ends does so in its own time. */
  async until(what: string, wanted: (figures: Figures) => boolean): Promise<Figures> {
    for (let i = 0; ; i++) {
      const figures = await this.figures()
      if (wanted(figures)) return figures
      assert.ok(i < 300, `${what}: ${JSON.stringify(figures)}`)
      await pause(200)
    }
  }

  /** What the log says that no attacker may bring about. */
  async #faults(): Promise<string[]> {
    const { logs } = this.system.settings.folders
    const files = await readdir(logs)
    const texts = await Promise.all(files.map((file) => readFile(join(logs, file), 'utf8')))
    return texts.flatMap((text) => text.split('\n')).filter((line) => FAULTS.test(line))
  }

  /**
   * Ends it, and shows that nothing was left behind: no fault in the log, no call, audio port, transaction or connection, and no memory to speak of;
   * and that the attacks took no more than that and `moreBytes`, either.
   */
  async end(moreBytes = usualMoreBytes): Promise<void> {
    try {
      this.#allTalk()
      await this.#nothingIsLeft(moreBytes)
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  async #nothingIsLeft(moreBytes: number): Promise<void> {
    const before = this.#before
    await this.until(`all is as before (${before.memoryBytes} bytes)`, (now) => {
      // The town keeps a connection where it sent something long.
      const isQuiet = now.transactions <= before.transactions + 5 && now.connections <= before.connections + 5
      const isOver = now.calls <= before.calls && now.dialogs <= before.dialogs && now.endpoints <= before.endpoints
      return isQuiet && isOver
    })
    const most = (when: keyof typeof mostTimes): number => before.memoryBytes * mostTimes[when]
    const told = (when: string, bytes: number): string => `it held ${before.memoryBytes} bytes, and ${when} ${bytes}`
    assert.ok(this.#attackedBytes < most('attacked') + moreBytes, told('attacked', this.#attackedBytes))
    const goesBack = async (when: 'after' | 'idle', words: string): Promise<void> => {
      // Seldom: what reads the figures leaves something, too.
      for (let waitedMs = 0; ; waitedMs += 5_000) {
        const { memoryBytes } = await this.figures()
        if (memoryBytes < most(when)) break
        assert.ok(waitedMs < patienceMs, told(words, memoryBytes))
        await pause(5_000)
      }
    }
    await goesBack('after', 'afterwards')
    await this.#hangUp()
    await goesBack('idle', 'when nobody called any more')
    assert.deepEqual(await this.#faults(), [])
  }

  /** The fifty end their calls. */
  async #hangUp(): Promise<void> {
    for (const beat of this.#beats) beat[Symbol.dispose]()
    const pairs = this.pairs.splice(0)
    for (const { caller } of pairs) caller.dialog?.bye()
    await Promise.all(pairs.map(({ callee }) => Promise.race([callee.ended, pause(2_000)])))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#hangUp()
    await this.#engine[Symbol.asyncDispose]()
    await this.town[Symbol.asyncDispose]()
    if (this.#ends) await this.system[Symbol.asyncDispose]()
  }
}

/** Settings for a system on which many calls are made in a short time: so many audio ports, which rest for a while when a call is over. Theirs until the test file ends. */
export async function manyAudioPorts(count = 1_600): Promise<Record<string, string>> {
  const { first } = await claimPorts(count)
  return { CENTRALA_RTP_FIRST_PORT: String(first), CENTRALA_RTP_LAST_PORT: String(first + count - 1) }
}

/** What became of it, the longest that anybody heard nothing, how much of that was the engine's doing, and how the worst line sounded. */
interface Watched<T> {
  result: T
  /** How often the machine stood still. */
  halts: number
  gapMs: number
  blamedMs: number
  /** See `worstHeard`. */
  mos: number
  mosOfAll: number
}

/** Keeps the machine as busy as an attacker and those whom he keeps busy. */
async function busy(ms: number): Promise<void> {
  const workers = Array.from({ length: 2 }, () => new Worker('for (;;) continue', { eval: true }))
  await pause(ms)
  await Promise.all(workers.map((worker) => worker.terminate()))
}

/** As a person calls: who is told that the lines are busy tries again, once. A machine that is short of time for a moment says so to anybody. */
async function patiently(town: Town, index: number): Promise<Pair> {
  return callPair(town, index).catch(async () => {
    await pause(1_000)
    return callPair(town, index)
  })
}

const FAULTS = /nobody handled|transaction user threw|listener of the SIP agent failed|an API request broke/

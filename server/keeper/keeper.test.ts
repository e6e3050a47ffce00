import assert from 'node:assert/strict'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { childProcess } from '#server/keeper/child-process.ts'
import { Keeper } from '#server/keeper/keeper.ts'
import type { Launch } from '#server/keeper/kept.ts'

const entry = join(import.meta.dirname, 'testdata', 'fake-child.ts')

/** A keeper of real processes whose doings are lines like `server ready`, awaited by name. */
class Stage {
  readonly lines: string[] = []
  readonly keeper: Keeper
  readonly ended: Promise<number>
  #waiting: { line: string; resolve: () => void }[] = []

  constructor(manners: { server: string; engine: string }) {
    const options = { clock: systemClock, log: silentLog, drainLimitMs: 60_000 }
    this.keeper = new Keeper(
      {
        database: this.#child('database', 'obedient'),
        engines: [this.#child('engine-0', manners.engine)],
        server: this.#child('server', manners.server),
        demoCarrier: null,
      },
      {
        ...options,
        onReady: (banner) => this.#say(`banner of ${banner?.company ?? 'nobody'}`),
        onRefused: (name, why) => this.#say(`${name} refused: ${why}`),
      },
    )
    this.ended = this.keeper.run()
  }

  /** Resolves when `line` has been said `times` times. */
  async said(line: string, times = 1): Promise<void> {
    while (this.lines.filter((each) => each === line).length < times) {
      await new Promise<void>((resolve) => this.#waiting.push({ line, resolve }))
    }
  }

  pidOf(name: string): number {
    const pid = this.keeper.status().find((each) => each.name === name)?.pid
    assert.ok(pid)
    return pid
  }

  #say(line: string): void {
    this.lines.push(line)
    const [now, later] = [this.#waiting.filter((each) => each.line === line), this.#waiting.filter((each) => each.line !== line)]
    this.#waiting = later
    for (const each of now) each.resolve()
  }

  #child(name: string, manner: string): Launch {
    const launch = childProcess({ entry, arguments: [manner], onLine: (line) => this.#say(`${name} ${line}`) })
    return (events) =>
      launch({
        onReady: (banner) => {
          events.onReady(banner)
          this.#say(`${name} ready`)
        },
        onEnded: (ended) => {
          this.#say(`${name} ended: ${ended.why}`)
          events.onEnded(ended)
        },
      })
  }
}

let stage: Stage | undefined
beforeEach(() => void (stage = undefined))
afterEach(async () => {
  for (let n = 0; n < 3; n++) stage?.keeper.requestEnd()
  await stage?.ended
})

test('the server starts when the database serves, and its banner is shown once', async () => {
  stage = new Stage({ server: 'obedient', engine: 'obedient' })
  await stage.said('server ready')
  assert.ok(stage.lines.indexOf('database ready') < stage.lines.indexOf('server ready'))
  process.kill(stage.pidOf('server'), 'SIGKILL')
  await stage.said('server ready', 2)
  assert.equal(stage.lines.filter((line) => line === 'banner of Acme').length, 1)
})

test('what is killed lives again, as another process, while the others stay', async () => {
  stage = new Stage({ server: 'obedient', engine: 'obedient' })
  await Promise.all([stage.said('server ready'), stage.said('engine-0 ready')])
  const [server, engine] = [stage.pidOf('server'), stage.pidOf('engine-0')]
  process.kill(engine, 'SIGKILL')
  await stage.said('engine-0 ready', 2)
  assert.notEqual(stage.pidOf('engine-0'), engine)
  assert.equal(stage.pidOf('server'), server)
  await stage.said('engine-0 ended: was killed by SIGKILL')
})

test('asked to end, it ends the server first, then the engines, then the database', async () => {
  stage = new Stage({ server: 'obedient', engine: 'obedient' })
  await Promise.all([stage.said('server ready'), stage.said('engine-0 ready')])
  stage.keeper.requestEnd()
  assert.equal(await stage.ended, 0)
  await stage.said('database asked:drain')
  // What a process printed last may arrive after the news of its end, so each end is compared with what the next one was told.
  const at = (line: string): number => stage?.lines.indexOf(line) ?? -1
  assert.ok(at('server ended: exited with code 0') < at('engine-0 asked:drain'))
  assert.ok(at('engine-0 ended: exited with code 0') < at('database asked:drain'))
  assert.ok(at('database ended: exited with code 0') > 0)
})

test('asked a second time, it lets the server drop its calls', async () => {
  stage = new Stage({ server: 'draining', engine: 'obedient' })
  await stage.said('server ready')
  stage.keeper.requestEnd()
  await stage.said('server asked:drain')
  assert.ok(!stage.lines.includes('engine-0 asked:drain'), 'the engine must carry the calls that still go on')
  stage.keeper.requestEnd()
  await stage.said('server asked:now')
  assert.equal(await stage.ended, 0)
})

test('asked a third time, it kills what does not listen', async () => {
  stage = new Stage({ server: 'deaf', engine: 'deaf' })
  await stage.said('server ready')
  stage.keeper.requestEnd()
  await stage.said('server asked:drain')
  stage.keeper.requestEnd()
  stage.keeper.requestEnd()
  assert.equal(await stage.ended, 0)
  await stage.said('server ended: was killed by SIGKILL')
})

test('a server that cannot work with its settings is reported once, and everything ends with exit code 78', async () => {
  stage = new Stage({ server: 'refusing', engine: 'obedient' })
  assert.equal(await stage.ended, 78)
  assert.deepEqual(
    stage.lines.filter((line) => line.includes('refused')),
    ['server refused: port 5060 is taken'],
  )
  assert.equal(stage.lines.filter((line) => line.startsWith('server ended')).length, 1)
})

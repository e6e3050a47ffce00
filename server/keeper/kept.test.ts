import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { type EndMode, Kept, type LaunchEvents } from '#server/keeper/kept.ts'

/** Lives of an imagined process, each ended by the test. */
class Lives {
  readonly started: { at: number; events: LaunchEvents; asked: EndMode[] }[] = []
  readonly refusals: string[] = []
  readonly clock = new VirtualClock()
  readonly kept = new Kept(
    'thing',
    (events) => {
      const life = { at: this.clock.now(), events, asked: [] as EndMode[] }
      this.started.push(life)
      return { pid: this.started.length, end: (mode) => void life.asked.push(mode) }
    },
    { onRefused: (why) => void this.refusals.push(why) },
    { clock: this.clock, log: silentLog },
  )

  get last(): LaunchEvents {
    const life = this.started.at(-1)
    assert.ok(life)
    return life.events
  }

  /** Serves, and is killed. */
  die(): void {
    this.last.onReady(null)
    this.last.onEnded({ why: 'was killed by SIGKILL', refused: null })
  }
}

test('a process that dies is started again at once, up to five times a minute', () => {
  const lives = new Lives()
  lives.kept.start()
  for (let n = 0; n < 5; n++) lives.die()
  assert.deepEqual(
    lives.started.map((life) => life.at),
    [0, 0, 0, 0, 0, 0],
  )
})

test('a process that keeps dying rests for twice as long each time, half a minute at most, and is never given up', () => {
  const lives = new Lives()
  lives.kept.start()
  for (let n = 0; n < 5; n++) lives.die()
  const rests: number[] = []
  for (let n = 0; n < 12; n++) {
    const count = lives.started.length
    const diedAt = lives.clock.now()
    lives.die()
    while (lives.started.length === count) lives.clock.advance(250)
    rests.push(lives.clock.now() - diedAt)
  }
  assert.deepEqual(rests, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000])
})

test('a process that dies before it serves rests from the first time on', () => {
  const lives = new Lives()
  lives.kept.start()
  lives.last.onEnded({ why: 'exited with code 1', refused: null })
  assert.equal(lives.kept.status().state, 'resting')
  lives.clock.advance(250)
  assert.equal(lives.started.length, 2)
})

test('a process that has lived for long is started again at once', () => {
  const lives = new Lives()
  lives.kept.start()
  for (let n = 0; n < 7; n++) {
    lives.die()
    lives.clock.advance(1_000)
  }
  lives.last.onReady(null)
  lives.clock.advance(3_600_000)
  const count = lives.started.length
  lives.die()
  assert.equal(lives.started.length, count + 1)
})

test('a refusal before it ever served is told and not repeated', () => {
  const lives = new Lives()
  lives.kept.start()
  lives.last.onEnded({ why: 'exited with code 78', refused: 'port 5060 is taken' })
  lives.clock.advance(3_600_000)
  assert.deepEqual(lives.refusals, ['port 5060 is taken'])
  assert.equal(lives.started.length, 1)
  assert.equal(lives.kept.status().state, 'ended')
})

test('a refusal after it has served is a death like others', () => {
  const lives = new Lives()
  lives.kept.start()
  lives.last.onReady(null)
  lives.last.onEnded({ why: 'exited with code 78', refused: 'port 5060 is taken' })
  assert.deepEqual(lives.refusals, [])
  assert.equal(lives.started.length, 2)
})

test('asked to end it is asked once, killed when its time is over, and not started again', async () => {
  const lives = new Lives()
  lives.kept.start()
  lives.last.onReady(null)
  const ended = lives.kept.end('drain', 1_000)
  lives.clock.advance(1_000)
  assert.deepEqual(lives.started[0]?.asked, ['drain', 'kill'])
  lives.die()
  await ended
  lives.clock.advance(60_000)
  assert.equal(lives.started.length, 1)
  assert.equal(lives.clock.pending, 0)
})

test('asked to end while it rests, it is not started again', async () => {
  const lives = new Lives()
  lives.kept.start()
  for (let n = 0; n < 6; n++) lives.die()
  assert.equal(lives.kept.status().state, 'resting')
  await lives.kept.end('drain', 1_000)
  assert.equal(lives.clock.pending, 0)
})

/** A process with a pulse whose lives the test moves; each life answers pings unless it is `still`. */
class Watched {
  readonly clock = new VirtualClock()
  readonly lives: { events: LaunchEvents; asked: string[]; standingBy: boolean }[] = []
  still = false
  stopped = false
  /** Time in which the whole machine stood still: timers fire that much late. */
  slept = 0
  readonly kept = new Kept(
    'thing',
    (events, standingBy = false) => {
      const life = { events, asked: [] as string[], standingBy }
      this.lives.push(life)
      return {
        pid: this.lives.length,
        end: (mode) => void life.asked.push(mode),
        go: () => void life.asked.push('go'),
        ping: () => !this.still && events.onPong?.(),
        isStopped: () => this.stopped,
      }
    },
    { onRefused: () => undefined },
    {
      clock: { now: () => this.clock.now() + this.slept, wall: () => this.clock.wall(), after: (ms, task) => this.clock.after(ms, task) },
      log: silentLog,
    },
  )

  life(index: number): (typeof this.lives)[number] {
    const life = this.lives[index]
    assert.ok(life)
    return life
  }

  /** Advances in the keeper's own beats. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 250) this.clock.advance(250)
  }

  serving(): this {
    this.kept.start()
    this.life(0).events.onReady(null)
    return this
  }
}

test('a process that is held stopped is killed within two seconds', () => {
  const watched = new Watched().serving()
  watched.pass(60_000)
  assert.deepEqual(watched.life(0).asked, [])
  watched.still = true
  watched.stopped = true
  watched.pass(2_000)
  assert.deepEqual(watched.life(0).asked, ['kill'])
})

test('a process that is only busy is left alone for fifteen seconds', () => {
  const watched = new Watched().serving()
  watched.still = true
  watched.pass(14_000)
  assert.deepEqual(watched.life(0).asked, [])
  watched.still = false
  watched.pass(60_000)
  assert.deepEqual(watched.life(0).asked, [])
  watched.still = true
  watched.pass(16_000)
  assert.deepEqual(watched.life(0).asked, ['kill'])
})

test('a machine that slept does not make its processes look frozen', () => {
  const watched = new Watched().serving()
  watched.still = true
  watched.slept = 3_600_000
  watched.pass(1_000)
  assert.deepEqual(watched.life(0).asked, [])
})

test('a life that stands by is called only when the one before is gone, which is asked only when it stands by', async () => {
  const watched = new Watched().serving()
  const replaced = watched.kept.replace(5_000)
  assert.deepEqual([watched.lives.length, watched.life(1).standingBy, watched.life(0).asked], [2, true, []])
  watched.life(1).events.onStandingBy?.()
  await Promise.resolve()
  await Promise.resolve()
  assert.deepEqual([watched.life(0).asked, watched.life(1).asked], [['hand-over'], []])
  watched.clock.advance(400)
  watched.life(0).events.onEnded({ why: 'exited with code 0', refused: null })
  assert.deepEqual(watched.life(1).asked, ['go'])
  watched.clock.advance(70)
  watched.life(1).events.onReady(null)
  assert.deepEqual(await replaced, { ms: 70 })
  assert.deepEqual(watched.kept.status(), { name: 'thing', state: 'serving', pid: 2, restarts: 1 })
})

test('a new version that cannot work changes nothing', async () => {
  const watched = new Watched().serving()
  const replaced = watched.kept.replace(5_000)
  watched.life(1).events.onEnded({ why: 'exited with code 1', refused: 'CENTRALA_SIP_PORT must be a port' })
  assert.deepEqual(await replaced, { refused: 'CENTRALA_SIP_PORT must be a port' })
  assert.deepEqual(watched.life(0).asked, [])
  assert.deepEqual(watched.kept.status(), { name: 'thing', state: 'serving', pid: 1, restarts: 0 })
})

test('a life that does not hand over in time is killed, and one that stood by and died is followed as after a death', async () => {
  const watched = new Watched().serving()
  const replaced = watched.kept.replace(5_000)
  watched.life(1).events.onStandingBy?.()
  await Promise.resolve()
  await Promise.resolve()
  watched.life(1).events.onEnded({ why: 'was killed by SIGKILL', refused: null })
  watched.clock.advance(5_000)
  assert.deepEqual(watched.life(0).asked, ['hand-over', 'kill'])
  watched.life(0).events.onEnded({ why: 'was killed by SIGKILL', refused: null })
  watched.life(2).events.onReady(null)
  assert.ok('ms' in (await replaced))
})

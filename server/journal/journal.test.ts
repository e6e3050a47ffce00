import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/clock.ts'
import type { Fact, NewFact } from '#contract/facts.ts'
import { FolderInUseError, openJournal, openJournalOn, type JournalSettings } from '#server/journal/index.ts'
import { MemoryFiles } from '#server/journal/memory-files.ts'

const answered = (call: string, leg: string): NewFact => ({ kind: 'leg.answered', tenant: 'alfa', call, leg })
const started = (call: string): NewFact => ({
  kind: 'call.started',
  tenant: 'alfa',
  call,
  direction: 'inbound',
  from: { number: '1' },
  to: { number: '2' },
  config: 1,
})
const ended = (call: string): NewFact => ({ kind: 'call.ended', tenant: 'alfa', call, outcome: { kind: 'answered', by: 'caller' } })

/** The tests' own windows, whatever the usual ones are. */
const windows = { windowMs: 2, idleWindowMs: 20 }

function rig(options: Partial<JournalSettings> = {}) {
  const files = new MemoryFiles()
  const clock = new VirtualClock(1_000_000)
  const troubles: boolean[] = []
  const onTrouble = ({ refusing }: { refusing: boolean }) => troubles.push(refusing)
  const settings = { clock, log: silentLog, onTrouble, ...windows, ...options }
  return {
    files,
    clock,
    troubles,
    open: () => openJournalOn(files, settings),
    reopen: (disk: MemoryFiles) => openJournalOn(disk, settings),
  }
}

describe('facts', () => {
  test('are numbered per call from 1 without gaps, also by the next life of the journal', async () => {
    const { open, clock } = rig()
    const first = await open()
    assert.deepEqual(
      [first.append(started('a')), first.append(started('b')), first.append(answered('a', 'x'))].map((f) => f.seq),
      [1, 1, 2],
    )
    assert.equal(first.append({ kind: 'trunk.went-up', tenant: 'alfa', trunk: 't' }).seq, 1)
    await first.close()
    clock.advance(5_000)
    const second = await open()
    assert.equal(second.append(answered('a', 'y')).seq, 3)
    assert.equal(second.append({ kind: 'trunk.went-up', tenant: 'alfa', trunk: 't' }).seq, 2)
    await second.close()
  })

  for (const [of, segmentBytes, drained] of [
    ['a file that the database has', 8_000_000, 6],
    ['several files', 1, 0],
  ] as const) {
    test(`of calls left open are given to the next life from the first on, out of ${of}`, async () => {
      const { open, clock } = rig({ segmentBytes })
      const first = await open()
      first.append(started('a'))
      first.append(started('b'))
      for (const leg of ['x', 'y', 'z']) {
        first.append(answered('a', leg))
        await clock.advanceAsync(30)
      }
      first.append(ended('b'))
      first.acknowledge(drained)
      await first.close()
      const second = await open()
      const inherited = second.takeInherited()
      assert.deepEqual([...inherited.keys()], ['a'])
      assert.deepEqual(
        inherited.get('a')?.map(({ kind, seq }) => `${kind} ${seq}`),
        ['call.started 1', 'leg.answered 2', 'leg.answered 3', 'leg.answered 4'],
      )
      assert.equal(second.takeInherited().size, 0)
      await second.close()
    })
  }

  test('keep true durations when the machine clock jumps in the middle of a call', async () => {
    let jump = 0
    const clock = new VirtualClock(1e12)
    const jumping = { now: () => clock.now(), wall: () => clock.wall() + jump, after: clock.after.bind(clock) }
    const journal = await openJournalOn(new MemoryFiles(), { clock: jumping, log: silentLog })
    const { at } = journal.append(started('a'))
    clock.advance(1_000)
    jump = -7_200_000
    assert.equal(journal.append(ended('a')).at - at, 1_000)
    assert.equal(journal.append(started('b')).at, 1e12 + 1_000 - 7_200_000)
  })

  test('reach every subscriber in order, however listeners append or fail', async () => {
    const { open } = rig()
    const journal = await open()
    const heard: string[] = []
    journal.subscribe(() => {
      throw new Error('a broken reader')
    })
    journal.subscribe((fact) => {
      if (fact.kind === 'call.started') journal.append(answered('a', 'x'))
    })
    using _last = journal.subscribe((fact) => heard.push(`${fact.kind} ${fact.seq}`))
    journal.append(started('a'))
    journal.append(ended('a'))
    assert.deepEqual(heard, ['call.started 1', 'leg.answered 2', 'call.ended 3'])
  })

  test('of a call that is long over go on after the number the database knows', async () => {
    const { open } = rig()
    const journal = await open()
    journal.continueFrom('alfa', 'old', 17)
    assert.equal(journal.append({ kind: 'recording.mailed', tenant: 'alfa', call: 'old', recording: 'r', to: 'x' }).seq, 18)
    assert.deepEqual(journal.openCalls(), [])
  })
})

describe('waiting for the disk', () => {
  test('one flush serves all who wait, and comes within the window', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    const kept: number[] = []
    for (let i = 0; i < 10; i++) {
      journal.append(answered('a', String(i)))
      journal.whenKept(() => kept.push(i))
    }
    assert.equal(kept.length, 0)
    const before = files.syncs
    await clock.advanceAsync(2)
    assert.equal(files.syncs - before, 1)
    assert.equal(kept.length, 10)
    journal.whenKept(() => kept.push(99))
    assert.equal(kept.at(-1), 99)
  })

  test('while many wait for each group, it gathers for two windows, and for one again when they are few', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    /** How many flushes there are in 40 ms while so many begin to wait every other millisecond. */
    const flushes = async (waiting: number): Promise<number> => {
      const before = files.syncs
      for (let turn = 0; turn < 20; turn++) {
        for (let i = 0; i < waiting; i++) {
          journal.append(answered('a', 'x'))
          journal.whenKept(() => undefined)
        }
        await clock.advanceAsync(2)
      }
      await clock.advanceAsync(20)
      return files.syncs - before
    }
    assert.equal(await flushes(1), 20)
    assert.equal(await flushes(4), 11, 'the first is not known to be crowded')
    assert.equal(await flushes(1), 20)
  })

  test('nobody waiting, a fact is on disk within the idle window', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    journal.append(started('a'))
    await clock.advanceAsync(19)
    assert.doesNotMatch(files.durableText(), /call.started/)
    await clock.advanceAsync(1)
    assert.match(files.durableText(), /call.started/)
  })

  test('a full disk holds up nobody, is told once, and loses nothing when there is room again', async () => {
    const { open, files, clock, troubles } = rig()
    const journal = await open()
    files.refuse = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
    let released = 0
    for (let i = 0; i < 5; i++) {
      journal.append(answered('a', String(i)))
      journal.whenKept(() => released++)
      await clock.advanceAsync(1_000)
    }
    assert.equal(released, 5)
    assert.deepEqual(troubles, [true])
    assert.equal(journal.health().state, 'failing')
    files.refuse = null
    await clock.advanceAsync(1_000)
    assert.deepEqual(troubles, [true, false])
    assert.equal(journal.health().waiting, 0)
    assert.equal((await read(await rig().reopen(files.afterPowerLoss()))).length, 5)
  })

  test('after a failed sync the same facts go to a new file', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    files.refuse = Object.assign(new Error('EIO'), { code: 'EIO' })
    journal.append(started('a'))
    await clock.advanceAsync(20)
    files.refuse = null
    await clock.advanceAsync(1_000)
    assert.equal(journal.health().segments, 2)
    assert.equal((await read(await rig().reopen(files.afterPowerLoss()))).length, 1)
  })

  test('a disk that stays full costs bounded memory: the oldest facts go, and are counted', async () => {
    const { open, files, clock } = rig({ memoryBytes: 10_000 })
    const journal = await open()
    files.refuse = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    for (let i = 0; i < 1_000; i++) journal.append(answered('a', String(i)))
    await clock.advanceAsync(1_000)
    files.refuse = null
    await clock.advanceAsync(2_000)
    const { lost } = journal.health()
    assert.ok(lost > 800 && lost < 1_000)
    const again = await rig().reopen(files.afterPowerLoss())
    assert.equal(again.position, 1_000)
    assert.equal((await read(again)).length, 1_000 - lost)
  })

  test('a disk that hangs holds up nobody for longer than two seconds', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    const thaw = files.hang()
    let released = false
    journal.append(started('a'))
    journal.whenKept(() => (released = true))
    await clock.advanceAsync(2_010)
    assert.ok(released)
    thaw()
    await clock.advanceAsync(1)
    assert.equal(journal.health().state, 'keeping')
  })
})

async function read(journal: Awaited<ReturnType<typeof openJournal>>): Promise<Fact[]> {
  const facts: Fact[] = []
  for (let at = 0; ; ) {
    const slice = await journal.read(at, 500)
    facts.push(...slice.facts)
    if (slice.upTo === at) return facts
    at = slice.upTo
  }
}

describe('a crash', () => {
  test('at any byte of the last write loses no fact that was on disk before, and no number', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    journal.append(started('a'))
    journal.keep('call/a', { state: 'ringing' })
    await clock.advanceAsync(20)
    const before = files.last().length
    journal.append(answered('a', 'ü€😀'))
    journal.keep('call/a', { state: 'talking' })
    await clock.advanceAsync(20)
    const { length } = files.last()
    assert.ok(length > before)
    for (let cut = before; cut <= length; cut++) {
      const again = await rig().reopen(files.cutTo(cut))
      const facts = await read(again)
      assert.ok(facts.length === 1 || facts.length === 2, `cut at ${cut}`)
      assert.equal(again.append(answered('a', 'z')).seq, facts.length + 1)
      assert.match(JSON.stringify(again.kept('call/').get('call/a')), /ringing|talking/)
      assert.equal(again.openCalls().length, 1)
    }
  })

  test('while a new file is begun leaves the one before in force', async () => {
    const { open, files, clock } = rig({ segmentBytes: 1 })
    const journal = await open()
    for (let i = 0; i < 20; i++) {
      journal.append(answered('a', 'x'.repeat(50)))
      journal.keep('call/a', i)
      await clock.advanceAsync(20)
    }
    assert.ok(journal.health().segments > 2)
    const { length } = files.last()
    for (let cut = 0; cut <= length; cut++) {
      const again = await rig().reopen(files.cutTo(cut))
      assert.ok(again.kept('call/').get('call/a') !== undefined, `cut at ${cut}`)
      assert.equal(again.openCalls().length, 1)
    }
  })

  test('that damages bytes in the middle costs the records there and no others', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    for (let i = 0; i < 50; i++) journal.append(answered(`c${i}`, 'x'))
    await clock.advanceAsync(20)
    const disk = files.afterPowerLoss()
    const bytes = disk.last()
    bytes.fill(0, bytes.indexOf('c20') - 5, bytes.indexOf('c20') + 5)
    const facts = await read(await rig().reopen(disk))
    assert.deepEqual(facts.length, 49)
  })

  test('of the process by kill -9 loses nothing that was acknowledged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'centrala-kill-'))
    const child = fork(join(import.meta.dirname, 'testdata', 'appender.ts'), [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    let acknowledged = 0
    await new Promise<void>((done) => {
      child.on('message', (count) => {
        acknowledged = Number(count)
        if (acknowledged >= 2_000) child.kill('SIGKILL')
      })
      child.on('exit', () => done())
    })
    const journal = await openJournal({ folder, clock: systemClock, log: silentLog })
    const facts = await read(journal)
    assert.ok(facts.length >= acknowledged, `${facts.length} of ${acknowledged}`)
    facts.forEach((fact, i) => assert.equal(fact.seq, i + 1))
    assert.ok(Number(journal.kept('count').get('count')) >= acknowledged)
    await journal.close()
    await rm(folder, { recursive: true })
  })

  test('leaves a list of open calls, and closing them says who is to blame', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    journal.append(started('a'))
    journal.append({
      kind: 'leg.started',
      tenant: 'alfa',
      call: 'a',
      leg: 'x',
      role: 'caller',
      endpoint: { kind: 'device', id: 'd', number: '1' },
    })
    journal.append({ kind: 'recording.started', tenant: 'alfa', call: 'a', recording: 'r' })
    journal.append(started('b'))
    journal.append(ended('b'))
    await clock.advanceAsync(20)
    const again = await rig().reopen(files.afterPowerLoss())
    const [call, ...none] = again.openCalls()
    assert.ok(call)
    assert.deepEqual(none, [])
    assert.deepEqual([call.call, call.legs, call.recordings, call.seq], ['a', ['x'], ['r'], 3])
    again.closeLost(call, 'the server died')
    const facts = (await read(again)).slice(-3)
    assert.deepEqual(
      facts.map((f) => [f.kind, f.seq]),
      [
        ['recording.failed', 4],
        ['leg.ended', 5],
        ['call.ended', 6],
      ],
    )
    assert.deepEqual(again.openCalls(), [])
  })
})

describe('files', () => {
  test('that hold nothing new are deleted once the database has it, and what is kept stays', async () => {
    const { open, files, clock } = rig({ segmentBytes: 1 })
    const journal = await open()
    journal.keep('trunk/a', 'up')
    for (let i = 0; i < 30; i++) {
      journal.append(answered(`c${i}`, 'ż'.repeat(100)))
      await clock.advanceAsync(20)
    }
    const many = journal.health().segments
    const half = await journal.read(0, 1_500)
    journal.acknowledge(half.upTo)
    await clock.advanceAsync(20)
    assert.ok(journal.health().segments < many)
    const again = await rig().reopen(files.afterPowerLoss())
    assert.equal(again.kept('trunk/').get('trunk/a'), 'up')
    const rest: Fact[] = []
    for (let at = half.upTo; at < again.position; ) {
      const slice = await again.read(at, 400)
      assert.deepEqual(slice.json, Buffer.from(JSON.stringify(slice.facts)))
      rest.push(...slice.facts)
      at = slice.upTo
    }
    assert.deepEqual(
      rest.map((f) => f.call),
      Array.from({ length: 30 - half.upTo }, (_, i) => `c${half.upTo + i}`),
    )
  })

  test('belong to one process at a time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'centrala-lock-'))
    const settings = { folder, clock: systemClock, log: silentLog }
    const journal = await openJournal(settings)
    await assert.rejects(openJournal(settings), FolderInUseError)
    await journal.close()
    await (await openJournal(settings)).close()
    await rm(folder, { recursive: true })
  })
})

describe('kept values', () => {
  test('are the latest ones, without those that were removed, and cost nothing when they do not change', async () => {
    const { open, files, clock } = rig()
    const journal = await open()
    journal.keep('call/a', { n: 1 })
    journal.keep('call/a', { n: 2 })
    journal.keep('call/b', { n: 1 })
    journal.keep('call/b', null)
    journal.keep('trunk/x', 'up')
    await clock.advanceAsync(20)
    const { syncs } = files
    journal.keep('call/a', { n: 2 })
    journal.keep('call/none', null)
    await clock.advanceAsync(40)
    assert.equal(files.syncs, syncs)
    const again = await rig().reopen(files.afterPowerLoss())
    assert.deepEqual([...again.kept('call/')], [['call/a', { n: 2 }]])
    assert.deepEqual([...again.kept('')].length, 2)
  })
})

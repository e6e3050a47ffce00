import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { openJournalOn } from '#server/journal/index.ts'
import { MemoryFiles } from '#server/journal/memory-files.ts'

/** A life of the journal on `files`. */
async function life(files = new MemoryFiles(), segmentBytes = 8_000_000) {
  const clock = new VirtualClock(1_000_000)
  const journal = await openJournalOn(files, { clock, log: silentLog, windowMs: 2, idleWindowMs: 20, segmentBytes })
  const keep = journal.keep.bind(journal)
  return {
    files,
    clock,
    journal,
    keep,
    /** Long enough for a group, and for the next try of one that failed. */
    flushed: () => clock.advanceAsync(1_000),
    /** What the next life finds if the power goes now. */
    found: async () => (await openJournalOn(files.afterPowerLoss(), { clock: new VirtualClock(), log: silentLog })).kept(''),
  }
}

const refusal = (code: string): Error => Object.assign(new Error(code), { code })

describe('a value that is removed', () => {
  test('twice within one group stays removed', async () => {
    const { keep, flushed, found } = await life()
    keep('a', 1)
    await flushed()
    keep('a', null)
    keep('a', null)
    await flushed()
    assert.deepEqual(await found(), new Map())
  })

  test('kept and removed again within one group stays removed', async () => {
    const { keep, flushed, found } = await life()
    keep('a', 1)
    await flushed()
    keep('a', null)
    keep('a', 2)
    keep('a', null)
    await flushed()
    assert.deepEqual(await found(), new Map())
  })

  test('in the group that first said it costs nothing', async () => {
    const { keep, flushed, files } = await life()
    keep('a', 1)
    keep('a', null)
    const { syncs } = files
    await flushed()
    assert.equal(files.syncs, syncs)
  })

  test('stays removed when a full disk had taken a part of a longer group', async () => {
    const { keep, flushed, found, files } = await life()
    files.refuse = refusal('ENOSPC')
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    keys.forEach((key) => keep(key, 'x'.repeat(100)))
    await flushed()
    files.refuse = null
    keys.forEach((key) => keep(key, null))
    await flushed()
    assert.deepEqual(await found(), new Map())
  })
})

describe('a value that is kept again', () => {
  for (const code of ['ENOSPC', 'EIO']) {
    test(`after its group failed by ${code} is on disk after the next`, async () => {
      const { keep, flushed, found, files } = await life()
      files.refuse = refusal(code)
      keep('a', 1)
      await flushed()
      keep('a', 1)
      files.refuse = null
      await flushed()
      assert.deepEqual(await found(), new Map([['a', 1]]))
    })
  }

  test('while its group is on the way is on disk, though that group fails', async () => {
    const { keep, flushed, found, files, clock } = await life()
    const thaw = files.hang()
    keep('a', 1)
    await clock.advanceAsync(20)
    keep('a', 1)
    files.refuse = refusal('ENOSPC')
    thaw()
    await clock.advanceAsync(20)
    files.refuse = null
    await flushed()
    assert.deepEqual(await found(), new Map([['a', 1]]))
  })

  test('after somebody looked at it is on disk', async () => {
    const { journal, keep, flushed, found } = await life()
    keep('a', 1)
    assert.deepEqual(journal.kept('').get('a'), 1)
    keep('a', 1)
    await flushed()
    assert.deepEqual(await found(), new Map([['a', 1]]))
  })
})

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const value = fc.constantFrom<unknown>(1, 2, 'x'.repeat(40), 'ż'.repeat(300))
const code = fc.constantFrom('ENOSPC', 'EDQUOT', 'EIO')
const step = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('keep' as const), key, value }), weight: 9 },
  { arbitrary: fc.record({ do: fc.constant('keep' as const), key, value: fc.constant(null) }), weight: 6 },
  { arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 1_000, 2_100) }), weight: 4 },
  {
    arbitrary: fc.record({ do: fc.constant('refuse' as const), code, part: fc.constantFrom(0, 0.5, 0.9, 1), ms: fc.constantFrom(0, 20) }),
    weight: 3,
  },
  { arbitrary: fc.record({ do: fc.constantFrom('take', 'hang', 'thaw', 'look', 'fact', 'flush', 'close', 'crash') }), weight: 8 },
)

/** Does the steps to a journal and to a map, and compares them. */
async function live(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[], segmentBytes: number): Promise<void> {
  let now = await life(new MemoryFiles(), segmentBytes)
  let model = new Map<string, unknown>()
  /** By key, all that the next life may find: what was on disk for sure, and what was said since. */
  let saidSince = new Map<string, unknown[]>()
  const thaws: (() => void)[] = []

  const onDisk = (values: Map<string, unknown>): void => {
    model = values
    saidSince = new Map([...values].map(([name, each]) => [name, [each]]))
  }
  const calm = (): void => {
    now.files.refuse = null
    thaws.splice(0).forEach((thaw) => thaw())
  }
  const flush = async (): Promise<void> => {
    calm()
    await now.clock.advanceAsync(2_000)
    assert.equal(now.journal.health().waiting, 0)
    assert.deepEqual(await now.found(), model)
    onDisk(model)
  }
  const crash = async (): Promise<void> => {
    now = await life(now.files.afterPowerLoss(), segmentBytes)
    const found = now.journal.kept('')
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const may = saidSince.get(name) ?? [undefined]
      assert.ok(may.includes(found.get(name)), `${name} is ${String(found.get(name))}`)
    }
    onDisk(found)
  }

  for (const each of [...steps, { do: 'flush' as const }]) {
    if (each.do === 'keep') {
      saidSince.set(each.key, [...(saidSince.get(each.key) ?? [undefined]), each.value ?? undefined])
      if (each.value === null) model.delete(each.key)
      else model.set(each.key, each.value)
      now.keep(each.key, each.value)
    } else if (each.do === 'pass') await now.clock.advanceAsync(each.ms)
    else if (each.do === 'refuse') {
      now.files.refuse = refusal(each.code)
      now.files.refusedPart = each.part
      await now.clock.advanceAsync(each.ms)
    } else if (each.do === 'take') now.files.refuse = null
    else if (each.do === 'hang') thaws.push(now.files.hang())
    else if (each.do === 'thaw') thaws.splice(0).forEach((thaw) => thaw())
    else if (each.do === 'look') assert.deepEqual(now.journal.kept(''), model)
    else if (each.do === 'fact') now.journal.append({ kind: 'trunk.went-up', tenant: 'alfa', trunk: 't' })
    else if (each.do === 'flush') await flush()
    else if (each.do === 'crash') await crash()
    else {
      calm()
      await now.journal.close()
      now = await life(now.files, segmentBytes)
      assert.deepEqual(now.journal.kept(''), model)
      onDisk(model)
    }
  }
}

test('whatever is kept and removed, and however the disk fails, the next life finds what a map has, or lags behind it', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), fc.constantFrom(1, 2_000, 8_000_000), live), {
    numRuns: 1_000,
  })
})

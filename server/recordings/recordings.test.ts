import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '#base/clock.ts'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import type { Fact } from '#contract/facts.ts'
import { factSink, openHistory } from '#server/history/index.ts'
import { openJobs, type JobResult } from '#server/jobs/index.ts'
import { JournalDrain, openJournal } from '#server/journal/index.ts'
import { MailError, openMailer, type Mailer } from '#server/mail/index.ts'
import { mailRecording, openRecordings, recordingMailJob } from '#server/recordings/index.ts'
import { recordingFile, recordingPath } from '#server/recordings/paths.ts'
import { testStore } from '#server/store/testing.ts'

async function rig(mailer?: Mailer) {
  const box = await testStore(['alfa', 'beta'])
  const folder = await mkdtemp(join(tmpdir(), 'centrala-recordings-'))
  const { store } = box
  const clock = systemClock
  const log = silentLog
  const journal = await openJournal({ folder: join(folder, 'journal'), clock, log })
  const drain = new JournalDrain({ journal, sink: factSink({ store, log }), clock, log, gatherMs: 1 })
  const history = openHistory(store, clock)
  const outbox = join(folder, 'outbox')
  const worked: JobResult[] = []
  const wish = { to: ['all@example.org'], language: 'ru', timeZone: 'Europe/Moscow', company: 'Альфа' } as const
  const dead = Promise.withResolvers<string>()
  const work = recordingMailJob({
    store,
    recordings: () => recordings,
    history,
    mailer: mailer ?? openMailer({ smtp: () => null, clock, outbox }),
    journal,
    policy: () => wish,
    clock,
  })
  const handler = async (job: Parameters<typeof work>[0]) => {
    const result = await work(job)
    worked.push(result)
    return result
  }
  const jobs = openJobs({
    store,
    clock,
    log,
    random: countingRandom(),
    handlers: new Map([[mailRecording, handler]]),
    roundMs: 20,
    onDead: (_tenant, _kind, why) => dead.resolve(why),
  })
  const recordings = openRecordings({ store, journal, jobs, clock, log, root: join(folder, 'recordings') })
  const dispose = async () => {
    await recordings.close()
    await jobs.close()
    await drain.close()
    await journal.close()
    await box[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { ...box, journal, history, jobs, recordings, outbox, folder, worked, dead: dead.promise, [Symbol.asyncDispose]: dispose }
}
type Rig = Awaited<ReturnType<typeof rig>>

function heard(r: Rig, kind: Fact['kind']): Promise<Fact> {
  return new Promise((done) => r.journal.subscribe((fact) => fact.kind === kind && done(fact)))
}

async function recordedCall(r: Rig, tenant: string, call: string, keepDays?: number): Promise<void> {
  const common = { tenant, call }
  const outcome = { kind: 'answered', by: 'caller' } as const
  r.journal.append({
    kind: 'call.started',
    ...common,
    direction: 'inbound',
    from: { number: '+79161234567', name: 'Evil\r\nBcc: x@y' },
    to: { number: '100' },
    config: 1,
  })
  r.journal.append({ kind: 'recording.started', ...common, recording: `rec-${call}` })
  const file = r.recordings.place(tenant, `rec-${call}`)
  await writeFile(file, Buffer.alloc(1_000, 7))
  r.journal.append({ kind: 'call.ended', ...common, outcome })
  r.journal.append({ kind: 'recording.ended', ...common, recording: `rec-${call}`, ms: 65_000, bytes: 1_000 })
  r.recordings.finished({
    ...common,
    mailTo: ['boss@example.org'],
    recording: `rec-${call}`,
    file,
    ms: 65_000,
    bytes: 1_000,
    turns: [{ speaker: 0, fromMs: 0, toMs: 9 }],
    gaps: [],
    ...(keepDays !== undefined && { keepDays }),
  })
}

describe('a recording', () => {
  test('is mailed after its call into the outbox, in the company language, with the audio', async () => {
    await using r = await rig()
    const mailed = heard(r, 'recording.mailed')
    await recordedCall(r, 'alfa', 'c1')
    const fact = await mailed
    assert.equal(fact.seq, 5)
    const [name] = await readdir(join(r.outbox, 'alfa'))
    const eml = await readFile(join(r.outbox, 'alfa', name ?? ''), 'utf8')
    assert.match(eml, /^To: boss@example.org, all@example.org$/m)
    assert.doesNotMatch(eml, /^Bcc:/m)
    assert.match(eml, /filename=\S*_79161234567_100.ogg|filename="?[^\n]*\+79161234567_100.ogg/)
    const text = /base64\n\n([\s\S]*?)\n--/.exec(eml)?.[1] ?? ''
    assert.match(Buffer.from(text, 'base64').toString(), /Альфа[\s\S]*Длительность записи: 1:05/)
    const row = await r.recordings.get('alfa', 'rec-c1')
    assert.equal(row?.mailedTo, 'boss@example.org, all@example.org')
    assert.deepEqual(row.turns, [{ speaker: 0, fromMs: 0, toMs: 9 }])
  })

  test('plays in whole and in parts, for its company only', async () => {
    await using r = await rig()
    const mailed = heard(r, 'recording.mailed')
    await recordedCall(r, 'alfa', 'c1')
    await mailed
    const whole = await r.recordings.open('alfa', 'rec-c1')
    assert.ok(whole)
    assert.equal((await buffer(whole.audio)).length, 1_000)
    const part = await r.recordings.open('alfa', 'rec-c1', { start: 990, end: 5_000 })
    assert.ok(part)
    assert.equal((await buffer(part.audio)).length, 10)
    assert.equal(await r.recordings.open('beta', 'rec-c1'), null)
    assert.equal(await r.recordings.get('beta', 'rec-c1'), null)
    assert.equal(await r.recordings.get('alfa', '../rec-c1'), null)
    assert.deepEqual((await r.recordings.list('beta')).recordings, [])
    assert.equal((await r.recordings.list('alfa', { call: 'c1' })).recordings.length, 1)
  })

  test('whose mail is refused for good ends as a dead letter that can be revived', async () => {
    let refuse = true
    const mailer: Mailer = {
      send: async () => {
        if (refuse) throw new MailError('550 no such user', true)
        return { how: 'smtp', where: '' }
      },
      close: () => undefined,
    }
    await using r = await rig(mailer)
    await recordedCall(r, 'alfa', 'c1')
    assert.equal(await r.dead, '550 no such user')
    const [letter] = await r.jobs.dead('alfa')
    assert.ok(letter)
    assert.deepEqual(await r.jobs.dead('beta'), [])
    assert.equal(await r.jobs.revive('beta', letter.id), false)
    refuse = false
    const mailed = heard(r, 'recording.mailed')
    assert.equal(await r.jobs.revive('alfa', letter.id), true)
    await mailed
  })

  test('is kept for the days that its policy gives it, and what was deleted is told as such', async () => {
    await using r = await rig()
    const first = heard(r, 'recording.mailed')
    await recordedCall(r, 'alfa', 'c1', 30)
    await first
    const row = await r.recordings.get('alfa', 'rec-c1')
    assert.ok(row)
    assert.deepEqual([row.keepUntil, row.expiredAt], [row.startedAt + 30 * 24 * 3_600_000, null])
    await r.store.forTenant('alfa', (db) =>
      db
        .updateTable('recording')
        .set({ expired_at: new Date(row.startedAt) })
        .execute(),
    )
    assert.equal(await r.recordings.open('alfa', 'rec-c1'), null)
    assert.equal(await r.recordings.file('alfa', 'rec-c1'), null)
    assert.equal((await r.recordings.get('alfa', 'rec-c1'))?.expiredAt, row.startedAt)
    const second = heard(r, 'recording.mailed')
    await recordedCall(r, 'alfa', 'c2')
    await second
    assert.equal((await r.recordings.get('alfa', 'rec-c2'))?.keepUntil, null)
  })

  test('finished while the database is away gets its row and its mail when it is back', async () => {
    await using r = await rig()
    const mailed = heard(r, 'recording.mailed')
    process.kill(r.postgres.pid, 'SIGKILL')
    await r.store.acrossTenants('test', async () => 1).catch(() => undefined)
    await recordedCall(r, 'alfa', 'c1')
    assert.equal(r.journal.kept('recording/').size, 1)
    await mailed
    assert.equal(r.journal.kept('recording/').size, 0)
  })
})

describe('paths of recordings', () => {
  test('never lead out of the folder of their company, whatever they are made of', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (tenant, path) => {
        const file = recordingFile('/root', tenant, path)
        assert.ok(file === null || file.startsWith(`/root/${tenant}/2`) || /^\/root\/[a-z0-9-]+\/\d{4}\//.test(file))
      }),
    )
    for (const path of ['../beta/x.ogg', '2026/03/02/../../../x.ogg', '/etc/passwd', '2026/03/02/a\0.ogg', '2026/03/02/a.txt'])
      assert.equal(recordingFile('/root', 'alfa', path), null)
    assert.equal(recordingFile('/root', '..', '2026/03/02/a.ogg'), null)
    assert.equal(recordingPath('abc', Date.parse('2026-03-02T23:59:59Z')), '2026/03/02/abc.ogg')
    assert.throws(() => recordingPath('../x', 0), RangeError)
  })
})

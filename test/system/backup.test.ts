import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RunningSystem } from '#test/system/running-system.ts'

/** What `npx centrala <words>` prints and exits with, in an installation of these settings. */
function centrala(words: string[], environment: Readonly<Record<string, string>>): Promise<{ code: number; text: string }> {
  const launcher = join(import.meta.dirname, '..', '..', 'tools', 'centrala.mjs')
  return new Promise((resolve) => {
    execFile(process.execPath, [launcher, ...words], { env: { ...process.env, ...environment } }, (fault, stdout, stderr) => {
      resolve({ code: fault === null ? 0 : Number(fault.code), text: stdout + stderr })
    })
  })
}

test('a backup of a running system comes back on another machine, with the same phones and passwords', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'centrala-backup-'))
  // The embedded database may run as a user of its own, who must get through.
  await chmod(scratch, 0o711)
  await using scope = new AsyncDisposableStack()
  scope.defer(() => rm(scratch, { recursive: true, force: true }))
  const [file, passphrase] = [join(scratch, 'backup.tar.gz'), join(scratch, 'passphrase')]
  await writeFile(passphrase, 'correct horse\n')
  const locked = ['--passphrase-file', passphrase]

  const first = scope.use(await RunningSystem.start())
  const phone = await first.line(/extension 100/)
  const made = await centrala(['backup', file, ...locked], first.environment)
  assert.equal(made.code, 0, made.text)
  assert.match(made.text, /\d+ rows and \d+ files/)
  const again = await centrala(['backup', file], first.environment)
  assert.deepEqual([again.code, /is there already/.test(again.text)], [1, true], again.text)
  const early = await centrala(['restore', file, ...locked], first.environment)
  assert.match(early.text, /Centrala runs with the data in .* Stop it first/)
  assert.equal(early.code, 1)

  const rehearsed = await centrala(['restore', file, '--rehearse', ...locked], first.environment)
  assert.match(rehearsed.text, /comes back: 1 companies, [1-9]\d* secrets that open/)
  assert.equal(rehearsed.code, 0, rehearsed.text)

  const elsewhere = { ...first.environment, CENTRALA_DATA_FOLDER: join(scratch, 'data') }
  const unopened = await centrala(['restore', file], elsewhere)
  assert.deepEqual([unopened.code, /needs its passphrase/.test(unopened.text)], [1, true], unopened.text)
  const restored = await centrala(['restore', file, ...locked], elsewhere)
  assert.equal(restored.code, 0, restored.text)
  assert.equal(await first.stop(), 0)
  const second = scope.use(await RunningSystem.start(elsewhere))
  assert.equal(await second.line(/extension 100/), phone)
  assert.equal(await second.stop(), 0)
  const twice = await centrala(['restore', file, ...locked], elsewhere)
  assert.match(twice.text, /--force/)
  assert.equal((await centrala(['restore', file, '--force', ...locked], elsewhere)).code, 0)
})

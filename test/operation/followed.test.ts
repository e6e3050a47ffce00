import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '#test/support/sounds.ts'
import { acme, AcmeSystem } from '#test/trunks/acme.ts'

test('one phone is logged in full while everything else is not, and no longer than asked for', { timeout: 180_000 }, async () => {
  await using at = await AcmeSystem.start(acme())
  assert.equal((await at.phone.register()).status, 200)
  const file = join(at.system.settings.folders.logs, 'centrala.log')
  const linesOf = async (call: string): Promise<string[]> =>
    (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes(call))
  const fails = async (): Promise<string> => {
    const mark = at.facts.mark
    assert.ok((await at.phone.call('9998')).status >= 400)
    return (await at.facts.next('call.ended', () => true, mark)).call ?? assert.fail('a call without an id')
  }

  const before = await fails()
  const { id } = await at.api.give<{ id: string }>('POST', '/v1/log/followed', { device: 'nobody', minutes: 5 })
  const other = await fails()
  await at.api.give('DELETE', `/v1/log/followed/${id}`)
  const rule = await at.api.give<{ id: string }>('POST', '/v1/log/followed', { minutes: 5 })
  const followed = await fails()
  await until('the call is in the log', async () => (await linesOf(followed)).some((line) => line.includes('call.ended')))
  const told = (await linesOf(followed)).join('\n')
  for (const kind of ['call.started', 'call.ended']) assert.ok(told.includes(kind), `${kind} in ${told}`)
  assert.deepEqual([await linesOf(before), await linesOf(other)], [[], []])
  await at.api.give('DELETE', `/v1/log/followed/${rule.id}`)
  const after = await fails()
  assert.deepEqual(await linesOf(after), [])
})

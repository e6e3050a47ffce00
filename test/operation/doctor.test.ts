import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Finding } from '#contract/api/operation.ts'
import { centrala } from '#test/operation/command.ts'
import { RunningSystem } from '#test/system/running-system.ts'

async function examined(environment: Readonly<Record<string, string>>): Promise<{ code: number; findings: Finding[] }> {
  const { code, text } = await centrala(['doctor', '--json'], environment)
  assert.ok(text.startsWith('{'), text)
  return { code, findings: (JSON.parse(text) as { findings: Finding[] }).findings }
}

function of(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((each) => each.check === check)
  assert.ok(found, `${check} among ${findings.map((each) => each.check).join(', ')}`)
  return found
}

test('the doctor finds a system well, its voice included, and names what is wrong with what to do', { timeout: 180_000 }, async (t) => {
  // A mail server that hangs up on everybody.
  const rude = createServer((socket) => socket.end('421 not today\r\n'))
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve))
  t.after(() => rude.close())
  const at = rude.address()
  assert.ok(at !== null && typeof at === 'object')
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1', SMTP_URL: `smtp://127.0.0.1:${at.port}` })
  const { code, findings } = await examined(system.environment)
  const wellBy = new Map(findings.map((each) => [each.check, each.state]))
  for (const check of [
    'ports',
    'media ports',
    'SIP over udp',
    'SIP over tcp',
    'SIP over tls',
    'echo call over IPv4',
    'database',
    'journal',
    'clock',
    'time zones',
  ])
    assert.equal(wellBy.get(check), 'well', `${check}: ${of(findings, check).detail}`)
  const mail = of(findings, 'mail of demo')
  assert.deepEqual([mail.state, code], ['bad', 1])
  assert.match(mail.detail, /421|not today|closed|Greeting/)
  assert.ok(findings.every(({ state, todo }) => (state === 'well') === (todo === '')))
  const text = await centrala(['doctor'], system.environment)
  assert.match(text.text, /^BAD {3}mail of demo/m)

  await system.stop()
  const stopped = await examined(system.environment)
  assert.equal(stopped.code, 1)
  assert.match(of(stopped.findings, 'server').detail, /does not run/)
  assert.equal(of(stopped.findings, 'time zones').state, 'well')
  await rm(system.settings.folders.data, { recursive: true, force: true })
})

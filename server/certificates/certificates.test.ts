import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Certificates } from '#server/certificates/certificates.ts'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'

const dayMs = 86_400_000
const folders: string[] = []
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

function setUp(given: { folder?: string; files?: { certificate: string; key: string }[]; names?: string[]; clock?: VirtualClock } = {}) {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'centrala-certificates-'))
  folders.push(folder)
  const clock = given.clock ?? new VirtualClock()
  const alarms: string[] = []
  const shown: string[] = []
  const names = given.names ?? ['pbx.example', '192.0.2.1']
  const certificates = new Certificates({
    ...{ clock, log: silentLog, folder, files: given.files ?? [], names: () => names },
    alarm: (severity, detail) => alarms.push(`${severity}: ${detail}`),
  })
  certificates.onChange = (served) => shown.push(...served.map(({ chain }) => chain))
  const serial = (): string => certificates.views[0]?.serial ?? ''
  return { folder, clock, alarms, shown, names, certificates, serial }
}

test('the first start makes an authority and a certificate, later ones take them up again', () => {
  const { folder, certificates, serial, clock } = setUp()
  assert.deepEqual(certificates.views[0]?.names, ['pbx.example', '192.0.2.1'])
  assert.equal(certificates.views[0]?.source, 'made')
  assert.equal(readFileSync(join(folder, 'authority.pem'), 'utf8'), certificates.authority)
  for (const key of ['authority.key', 'server.key']) assert.equal(statSync(join(folder, key)).mode & 0o777, 0o600)
  const again = setUp({ folder, clock })
  assert.equal(again.serial(), serial())
})

test('a certificate of ours is replaced 30 days before its end, by the same authority, and when we get another name', async () => {
  const { clock, certificates, serial, shown, names, alarms } = setUp()
  certificates.start()
  const [first, authority] = [serial(), certificates.authority]
  await clock.advanceAsync(3_600_000)
  assert.equal(serial(), first)
  names.push('sip.example')
  await clock.advanceAsync(3_700_000)
  const second = serial()
  assert.notEqual(second, first)
  assert.ok(certificates.views[0]?.names.includes('sip.example'))
  certificates.close()
  clock.advance(367 * dayMs)
  assert.equal(certificates.reload(), null)
  assert.notEqual(serial(), second)
  assert.equal(certificates.authority, authority)
  assert.equal(shown.length, 2)
  assert.deepEqual(alarms, [])
})

test("the operator's certificate is taken up when its files change, told of before it ends, and never replaced by what is broken", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'centrala-certificates-'))
  folders.push(folder)
  const clock = new VirtualClock()
  const authority = makeAuthority('Somebody', { from: clock.wall() - dayMs, to: clock.wall() + 9_000 * dayMs })
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const put = (days: number): void => {
    const pair = issueFor(['pbx.example'], { from: clock.wall() - dayMs, to: clock.wall() + days * dayMs }, authority)
    writeFileSync(files.certificate, pair.chain)
    writeFileSync(files.key, pair.key)
  }
  put(90)
  const { certificates, serial, shown, alarms } = setUp({ folder, clock, files: [files] })
  certificates.start()
  const first = serial()
  assert.equal(certificates.authority, null)
  put(91)
  await clock.advanceAsync(5_000)
  assert.notEqual(serial(), first)
  assert.equal(shown.length, 1)
  const second = serial()
  writeFileSync(files.key, 'nonsense')
  await clock.advanceAsync(5_000)
  assert.equal(serial(), second)
  assert.match(certificates.troubles.join(), /no certificate and private key/)
  assert.equal(alarms.length, 1)
  put(40)
  await clock.advanceAsync(5_000)
  assert.deepEqual(certificates.troubles, [])
  certificates.close()
  alarms.length = 0
  for (const days of [9, 2, 22, 2, 4, 1]) {
    clock.advance(days * dayMs)
    certificates.reload()
  }
  assert.deepEqual(
    alarms.map((alarm) => /^(\w+): .* in (\d+) days/.exec(alarm)?.slice(1).join(' ')),
    ['warning 28', 'warning 6', 'critical 0'],
  )
  assert.equal(certificates.troubles.length, 1)
})

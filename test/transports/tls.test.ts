import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { connect, type ConnectionOptions } from 'node:tls'
import { promisify } from 'node:util'
import { PhoneCompany, toneOf, type User } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import type { Phone, PhoneOptions } from '#test/support/phone.ts'
import { tonesIn, until } from '#test/support/sounds.ts'
import { CertificateFiles } from '#test/transports/certificate-files.ts'

const run = promisify(execFile)
const listenMs = 1_200
const ringbackHertz = 420

const programs = {
  baresip: (options: PhoneOptions): Promise<Phone> => Baresip.start(options),
  linphone: (options: PhoneOptions): Promise<Phone> => Linphone.start(options),
} as const
type Program = keyof typeof programs

describe('telephones over TLS', { skip: noBaresip || noLinphone }, () => {
  let files: CertificateFiles
  let company: PhoneCompany

  before(async () => {
    files = await CertificateFiles.make()
    company = await PhoneCompany.start(files.settings)
  })
  after(async () => {
    await company[Symbol.asyncDispose]()
    await files[Symbol.asyncDispose]()
  })

  const open = (program: Program, user: User, transport: PhoneOptions['transport']): Promise<Phone> =>
    programs[program](company.phone(user, transport, { authorities: files.authorities }))
  const connectCall = async (caller: Phone, callee: Phone, number: string): Promise<void> => {
    const [callerFrom, calleeFrom] = [caller.said.mark, callee.said.mark]
    await caller.call(number)
    await callee.incoming(calleeFrom)
    await callee.answer()
    await Promise.all([caller.talking(callerFrom), callee.talking(calleeFrom)])
    await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
  }
  const heard = async (phone: Phone): Promise<number[]> =>
    (await tonesIn(await phone.recordings())).map(({ hertz }) => hertz).filter((hertz) => hertz !== ringbackHertz)
  const transports = async (): Promise<Record<string, string[]>> => {
    const { devices } = await company.api.get<{ devices: { username: string; contacts: { transport: string }[] }[] }>('/v1/devices')
    return Object.fromEntries(devices.map(({ username, contacts }) => [username, contacts.map(({ transport }) => transport)]))
  }
  /** Serial number and protocol of a new handshake, as the client sees them. */
  const handshake = async (options: ConnectionOptions = {}): Promise<{ serial: string; protocol: string | null }> => {
    const socket = connect({ host: '127.0.0.1', port: company.system.settings.sip.tls.port, ca: files.ca, ...options })
    await once(socket, 'secureConnect')
    const seen = { serial: socket.getPeerX509Certificate()?.serialNumber ?? '', protocol: socket.getProtocol() }
    socket.destroy()
    return seen
  }

  for (const [program, other] of [
    ['baresip', 'baresip'],
    ['linphone', 'baresip'],
    ['baresip', 'linphone'],
  ] as const) {
    test(`${program} over TLS calls ${other} over UDP, and is called back, and each hears the other`, async () => {
      await using secure = await open(program, '101', 'tls')
      await using plain = await open(other, '102', 'udp')
      assert.deepEqual(await transports(), { '101': ['tls'], '102': ['udp'], '103': [] })
      for (const [caller, callee, number] of [
        [secure, plain, '102'],
        [plain, secure, '101'],
      ] as const) {
        await connectCall(caller, callee, number)
        const from = callee.said.mark
        await caller.hangUp()
        await callee.ended(from)
      }
      assert.deepEqual([...new Set(await heard(secure))], [toneOf['102']])
      assert.deepEqual([...new Set(await heard(plain))], [toneOf['101']])
    })
  }

  test('a certificate changed under a talking call is shown to the next peer within 5 s, and the call goes on', async () => {
    await using caller = await open('baresip', '101', 'tls')
    await using callee = await open('baresip', '102', 'tls')
    await connectCall(caller, callee, '102')
    const { serial } = await handshake()
    await files.renew()
    const changedAt = performance.now()
    await until('the new certificate is shown', async () => (await handshake()).serial !== serial, 5_000)
    assert.ok(performance.now() - changedAt < 5_000)
    await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
    const held = callee.said.mark
    await caller.hangUp()
    await callee.ended(held)
    await using _newcomer = await open('baresip', '103', 'tls')
    assert.deepEqual((await transports())['103'], ['tls'])
  })

  test('half of a new pair of files changes nothing, and says so until the other half is there', async () => {
    const { serial } = await handshake()
    const { certificate } = files
    const good = await readFile(certificate, 'utf8')
    await using other = await CertificateFiles.make()
    await writeFile(certificate, await readFile(other.certificate, 'utf8'))
    const degraded = async (): Promise<string> =>
      ((await (await fetch(`${company.api.url}/health/ready`)).json()) as { degraded: string[] }).degraded.join()
    await until('health tells of it', async () => (await degraded()).includes('is not that of the certificate'))
    assert.equal((await handshake()).serial, serial)
    await writeFile(certificate, good)
    await until('health is good again', async () => (await degraded()) === '')
  })

  test('TLS 1.2 and 1.3 with forward secrecy are spoken, older protocols and weaker ciphers are not', async () => {
    const at = [
      's_client',
      '-connect',
      `127.0.0.1:${company.system.settings.sip.tls.port}`,
      '-CAfile',
      files.authorities,
      '-verify_return_error',
    ]
    const client = async (...more: string[]): Promise<string> => {
      const asked = run('openssl', [...at, ...more])
      asked.child.stdin?.end()
      return asked.then(
        ({ stdout }) => stdout,
        (fault: { stdout?: string; stderr?: string }) => `${fault.stdout ?? ''}${fault.stderr ?? ''}`,
      )
    }
    assert.match(await client('-tls1_2'), /New, TLSv1\.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256/)
    assert.match(await client('-tls1_3'), /New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256/)
    for (const weak of [
      ['-tls1_1'],
      ['-tls1'],
      ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA'],
      ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'],
    ])
      assert.match(await client(...weak), /Cipher is \(NONE\)/, weak.join(' '))
  })
})

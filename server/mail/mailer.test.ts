import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { VirtualClock } from '#base/virtual-clock.ts'
import { MailError, openMailer } from '#server/mail/index.ts'

async function mailServer(refuse: (address: string) => number | null) {
  const received: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }: { address: string }, _session: unknown, done: (error?: Error | null) => void) {
      const code = refuse(address)
      done(code === null ? null : Object.assign(new Error('refused'), { responseCode: code }))
    },
    onData(stream: NodeJS.ReadableStream, _session: unknown, done: (error?: Error | null) => void) {
      let text = ''
      stream.on('data', (chunk) => (text += String(chunk)))
      stream.on('end', () => {
        received.push(text)
        done(null)
      })
    },
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()))
  const { port } = server.server.address() as { port: number }
  return { received, port, [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())) }
}

const smtp = (port: number) => ({ host: '127.0.0.1', port, secure: false, from: 'pbx@alfa.example' })
const message = { to: ['boss@example.org'], subject: 'Запись', text: 'Привет', id: 'alfa/1' }

describe('mail by SMTP', () => {
  test('reaches the company mail server, and a repetition carries the same Message-ID', async () => {
    await using server = await mailServer(() => null)
    const mailer = openMailer({ smtp: () => smtp(server.port), clock: new VirtualClock(), outbox: '/nowhere' })
    assert.equal((await mailer.send('alfa', message)).how, 'smtp')
    await mailer.send('alfa', message)
    const ids = server.received.map((text) => /^Message-ID: (.*)\r$/im.exec(text)?.[1])
    assert.equal(ids.length, 2)
    assert.equal(ids[0], ids[1])
    mailer.close()
  })

  test('tells a refusal for good from one for now and from a dead server', async () => {
    await using server = await mailServer((address) => (address.startsWith('gone') ? 550 : address.startsWith('full') ? 452 : null))
    const mailer = openMailer({
      smtp: (tenant) => smtp(tenant === 'dead' ? 1 : server.port),
      clock: new VirtualClock(),
      outbox: '/nowhere',
    })
    const isPermanent = (tenant: string, to: string) =>
      mailer.send(tenant, { ...message, to: [to] }).then(
        () => null,
        (error: unknown) => (error instanceof MailError ? error.permanent : 'not a MailError'),
      )
    assert.equal(await isPermanent('alfa', 'gone@x.example'), true)
    assert.equal(await isPermanent('alfa', 'full@x.example'), false)
    assert.equal(await isPermanent('dead', 'boss@x.example'), false)
    mailer.close()
  })
})

test('without a mail server letters become files in a folder that nobody else may enter', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-outbox-'))
  const mailer = openMailer({ smtp: () => null, clock: new VirtualClock(), outbox: join(folder, 'outbox') })
  const { how, where } = await mailer.send('alfa', message)
  assert.equal(how, 'outbox')
  assert.equal((await stat(dirname(where))).mode & 0o077, 0)
  assert.equal((await stat(join(folder, 'outbox'))).mode & 0o077, 0)
  mailer.close()
  await rm(folder, { recursive: true })
})

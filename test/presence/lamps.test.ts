import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TwoCompanies } from '#test/tenancy/two-companies.ts'
import { header } from '#test/support/wire.ts'
import { Watcher } from '#test/presence/watcher.ts'

/** Phones written out message by message, on a running system with two companies. */
let town: TwoCompanies

before(async () => {
  town = await TwoCompanies.start()
  for (const company of [town.red, town.blue]) for (const phone of company.phones) assert.equal((await phone.register()).status, 200)
})
after(() => town[Symbol.asyncDispose]())

test('a lamp follows a call of a colleague: early, confirmed, terminated, each document after the other', async () => {
  const [one, other] = town.red.phones
  using watcher = await Watcher.subscribe(other, 'dialog', '100')
  assert.match((await watcher.notify()).body, /version="0" state="full" entity="sip:100@red.test">\s*<\/dialog-info>/)
  const calling = one.call('101')
  const invite = await other.wire.next('INVITE', ({ method }) => method === 'INVITE')
  other.wire.answer(invite, '180 Ringing', [`Contact: ${other.contact}`])
  assert.match((await watcher.until(/<state>early<\/state>/)).body, /state="partial"[^]*direction="initiator"/)
  other.wire.answer(invite, '200 OK', [`Contact: ${other.contact}`, 'Content-Type: application/sdp'], other.sdp())
  const call = await calling
  await watcher.until(/<state>confirmed<\/state>/)
  await call.bye()
  const last = await watcher.until(/<state>terminated<\/state>/)
  assert.match(header(last, 'subscription-state'), /^active;expires=\d+$/)
  assert.deepEqual(
    watcher.versions,
    watcher.versions.map((_, i) => i),
  )
})

test('who rings is shown to whoever answers that line, and only the state to the others', async () => {
  const [one, other] = town.red.phones
  using own = await Watcher.subscribe(other, 'dialog', '101')
  using foreign = await Watcher.subscribe(one, 'dialog', '101')
  const answered = other.answered()
  const call = await one.call('101')
  await answered
  assert.match((await own.until(/<dialog /)).body, /<remote>[^]*sip:100@red\.test/)
  assert.doesNotMatch((await foreign.until(/<dialog /)).body, /<remote>|call-id/)
  await call.bye()
})

test('names of another company are answered like names of nobody', async () => {
  const [phone] = town.red.phones
  const ask = (uri: string) => phone.request('SUBSCRIBE', uri, { headers: ['Event: dialog', `Contact: ${phone.contact}`] })
  const foreign = await ask('sip:100@blue.test')
  const nobody = await ask('sip:999@red.test')
  assert.deepEqual([foreign.status, nobody.status, foreign.first], [404, 404, nobody.first])
})

test('an event that we do not know gets 489 with what we know; too short a life 423', async () => {
  const [phone] = town.red.phones
  const ask = (...headers: string[]) =>
    phone.request('SUBSCRIBE', 'sip:101@red.test', { headers: [`Contact: ${phone.contact}`, ...headers] })
  const bad = await ask('Event: weather')
  assert.deepEqual([bad.status, header(bad, 'allow-events')], [489, 'dialog, presence, message-summary, reg'])
  const brief = await ask('Event: dialog', 'Expires: 5')
  assert.deepEqual([brief.status, header(brief, 'min-expires')], [423, '60'])
  assert.equal((await ask('Event: message-summary')).status, 404, 'another person’s mailbox')
})

test('a phone learns of its own mailbox and registration, and of a colleague’s presence', async () => {
  const [one, other] = town.red.phones
  using mail = await Watcher.subscribe(one, 'message-summary', '100')
  assert.match((await mail.notify()).body, /^Messages-Waiting: no\r\nMessage-Account: sip:100@red.test\r\n$/)
  using reg = await Watcher.subscribe(one, 'reg', '100')
  assert.match(
    (await reg.notify()).body,
    /<registration aor="sip:100@red.test"[^>]* state="active">[^]*<uri>sip:100@127\.0\.0\.1:\d+<\/uri>/,
  )
  using presence = await Watcher.subscribe(one, 'presence', '101')
  assert.match((await presence.notify()).body, /<basic>open<\/basic>/)
  const answered = other.answered()
  const call = await one.call('101')
  await answered
  await presence.until(/<rpid:on-the-phone\/>/)
  await call.bye()
  await presence.until(/<dm:person id="person"><\/dm:person>/)
  assert.equal((await other.register({ headers: ['Expires: 0'] })).status, 400)
  await other.request('REGISTER', 'sip:red.test', { to: `<${other.aor}>`, headers: ['Contact: *', 'Expires: 0'] })
  await presence.until(/<basic>closed<\/basic>/)
  await other.register()
  await presence.until(/<basic>open<\/basic>/)
})

test('the API tells the state of every extension', async () => {
  const { extensions } = await town.red.api.get<{ extensions: { number: string; state: string }[] }>('/v1/presence')
  assert.deepEqual(
    extensions.map(({ number, state }) => [number, state]),
    [
      ['100', 'available'],
      ['101', 'available'],
    ],
  )
})

test('lamps outlive the death of the server: a call that goes on is told anew, and its end as well', async () => {
  const [one, other] = town.red.phones
  using watcher = await Watcher.subscribe(one, 'dialog', '101')
  const answered = other.answered()
  const call = await one.call('101')
  await answered
  await watcher.until(/<state>confirmed<\/state>/)
  await town.system.kept(/"kind":"talking"/)
  process.kill(await town.system.pidOf('server'), 'SIGKILL')
  const again = await watcher.until(/state="full"/)
  assert.match(again.body, /<state>confirmed<\/state>/)
  assert.match(header(again, 'subscription-state'), /^active;expires=\d+$/)
  assert.ok((watcher.versions.at(-1) ?? 0) > 1_000)
  assert.equal((await watcher.refresh(600)).status, 200)
  await watcher.until(/state="full"/)
  await call.bye()
  await watcher.until(/<state>terminated<\/state>/)
  assert.equal((await watcher.refresh(0)).status, 200)
  assert.match(header(await watcher.until(/dialog-info/), 'subscription-state'), /^terminated;reason=timeout$/)
  assert.equal((await watcher.refresh(600)).status, 481)
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Siege } from '#test/abuse/siege.ts'
import { authorization, header, newTag, Wire, type WireMessage } from '#test/support/wire.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { Api } from '#test/support/api.ts'
import { acme, AcmeSystem } from '#test/trunks/acme.ts'

const domain = 'acme.test'
const password = 'another horse battery'
const methods = ['REGISTER', 'INVITE', 'OPTIONS', 'SUBSCRIBE', 'MESSAGE'] as const
type Method = (typeof methods)[number]
/** The first of the phones that others pretend to be. */
const victimOf = 110
/** Among the lines of a request: a To tag, as in a dialog. */
const tagged = ';tag=1928301774'

/** Credentials for a challenge, which fit in all that is not stated otherwise. */
type Sign = (stated?: { user?: string; password?: string; realm?: string; uri?: string }) => string

const without = (credentials: string, ...names: string[]): string =>
  credentials.replace(new RegExp(`, (?:${names.join('|')})=[^,]*`, 'g'), '')

/** What is wrong with credentials. All else is right, the response included where it can be: or that alone would be refused. */
const forgeries: readonly [name: string, forge: (sign: Sign, as: { user: string; method: Method }) => string][] = [
  ['of nobody', (sign) => sign({ user: 'nobody' })],
  ['of another phone', (sign) => sign({ user: '100', password: 'correct horse battery' })],
  ['for another realm', (sign) => sign({ realm: 'other.test' })],
  ['for another URI', (sign) => sign({ uri: 'sip:somebody@acme.test' })],
  ['with a nonce that is not ours', (sign) => sign().replace(/nonce="[^"]*"/, 'nonce="deadbeef"')],
  ['without qop, as of old', (sign, as) => ofOld(sign(), as)],
  ['with no word of qop', (sign) => without(sign(), 'qop')],
  ['with auth-int', (sign) => sign().replace('qop=auth', 'qop=auth-int')],
  ['with algorithm none', (sign) => sign().replace(/algorithm=[^,]*/, 'algorithm=none')],
  ['with MD5-sess', (sign) => sign().replace(/algorithm=[^,]*/, 'algorithm=MD5-sess')],
  ['with an empty response', (sign) => sign().replace(/response="[^"]*"/, 'response=""')],
  ['with a response of zeros', (sign) => sign().replace(/response="[^"]*"/, `response="${'0'.repeat(32)}"`)],
  ['with nothing but a name', (_, { user }) => `Digest username="${user}"`],
  ['of another scheme', (_, { user }) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`],
]

/** The reckoning of RFC 2069, by MD5: a server that takes it can be talked out of counting what a nonce is used for. */
function ofOld(credentials: string, { user, method }: { user: string; method: Method }): string {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const [nonce, uri] = ['nonce', 'uri'].map((name) => new RegExp(`\\b${name}="([^"]*)"`).exec(credentials)?.[1])
  const response = md5(`${md5(`${user}:${domain}:${password}`)}:${nonce}:${md5(`${method}:${uri}`)}`)
  return `Digest username="${user}", realm="${domain}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5`
}

describe('logins', () => {
  let at: AcmeSystem
  let siege: Siege
  const closing = new AsyncDisposableStack()
  let phone: WirePhone
  let hosts = 10
  before(async () => {
    const second = { kind: 'device', id: 'second', username: '101', password, algorithms: ['SHA-256', 'MD5'] }
    // One for each method: who is guessed at too often is shut out, and then nothing but that is shown.
    const victims = methods.map((_, i) => {
      return { ...second, id: `victim-${i}`, username: String(victimOf + i), algorithms: i % 2 === 0 ? ['MD5'] : second.algorithms }
    })
    const extension = { kind: 'extension', id: '101', number: '101', target: { device: 'second' } }
    at = closing.use(await AcmeSystem.start(acme(second, extension, ...victims)))
    phone = closing.use(await WirePhone.open({ user: '101', domain, password }, at.sip))
    assert.equal((await at.phone.register()).status, 200)
    assert.equal((await phone.register()).status, 200)
    siege = closing.use(await Siege.on(at.system))
  })
  after(async () => {
    await using _closing = closing
    await siege.end()
  })
  const beside = (name: string, attack: () => Promise<void>): void => void test(name, () => siege.beside(attack))

  /** Somebody at an address of his own. */
  const stranger = (): Promise<Wire> => Wire.open(at.sip, `127.0.7.${hosts++}`)

  const uriOf = (method: Method): string => (method === 'REGISTER' ? `sip:${domain}` : `sip:100@${domain}`)

  async function ask(wire: Wire, method: Method, user: string, more: readonly string[] = []): Promise<WireMessage> {
    const callId = newTag()
    const self = `<sip:${user}@${domain}>`
    wire.send(
      [
        `${method} ${uriOf(method)} SIP/2.0`,
        `Via: ${wire.via()}`,
        'Max-Forwards: 70',
        `From: ${self};tag=${newTag()}`,
        `To: ${method === 'REGISTER' ? self : `<sip:100@${domain}>`}${more.includes(tagged) ? tagged : ''}`,
        `Call-ID: ${callId}`,
        `CSeq: 1 ${method}`,
        `Contact: <sip:evil@${wire.at}>`,
        ...(method === 'SUBSCRIBE' ? ['Event: dialog', 'Expires: 60'] : []),
        ...more.filter((line) => line !== tagged),
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    )
    const answer = await wire.next(`answer to ${method}`, (message) => message.status >= 200 && header(message, 'call-id') === callId)
    if (method === 'INVITE')
      wire.send(answer.text.replace(/^SIP\/2.0 [^\r]*/, `ACK ${uriOf(method)} SIP/2.0`).replace(/CSeq: 1 INVITE/, 'CSeq: 1 ACK'))
    return answer
  }

  /** What an answer looks like, but for what differs each time. */
  function shapeOf(answer: WireMessage): string {
    const names = [...answer.headers.keys()].join(' ')
    const challenges = (answer.headers.get('www-authenticate') ?? []).map((each) => each.replace(/nonce="[^"]*"/, 'nonce'))
    return `${answer.first} ${names} ${challenges.join(' ')} ${answer.text.length}`
  }

  beside('credentials work once: who overheard them gets nothing', async () => {
    for (const method of ['REGISTER', 'OPTIONS', 'MESSAGE'] as const) {
      await using wire = await stranger()
      const challenged = await ask(wire, method, '101')
      const right = authorization(header(challenged, 'www-authenticate'), { user: '101', password, method, uri: uriOf(method) })
      const expires = ['Expires: 0']
      assert.notEqual((await ask(wire, method, '101', [`Authorization: ${right}`, ...(method === 'REGISTER' ? expires : [])])).status, 401)
      const again = await ask(wire, method, '101', [`Authorization: ${right}`])
      assert.equal(again.status, 401, method)
      assert.match(header(again, 'www-authenticate'), /stale=true/)
    }
    assert.equal((await phone.register()).status, 200)
  })

  beside('no credentials but the right ones are taken, by any method, and all refusals look alike', async () => {
    for (const [i, method] of methods.entries()) {
      const shapes = new Set<string>()
      const user = String(victimOf + i)
      const uri = uriOf(method)
      for (const [name, forge] of forgeries) {
        await using wire = await stranger()
        const challenged = await ask(wire, method, user)
        assert.equal(challenged.status, 401)
        const sign: Sign = ({ realm, ...stated } = {}) =>
          authorization(
            header(challenged, 'www-authenticate'),
            { user, password, method, uri, ...stated },
            realm === undefined ? {} : { realm },
          )
        const refused = await ask(wire, method, user, [`Authorization: ${forge(sign, { user, method })}`])
        assert.equal(refused.status, 401, `${method} ${name}`)
        shapes.add(shapeOf(refused).replace(' stale=true', '').replace(/\d+$/, ''))
      }
      assert.equal(shapes.size, 1, [...shapes].join('\n'))
      // Nobody was shut out meanwhile: each was refused for what was wrong with it.
      await using wire = await stranger()
      const challenged = await ask(wire, 'OPTIONS', user)
      const as = { user, password, method: 'OPTIONS', uri: uriOf('OPTIONS') }
      const right = authorization(header(challenged, 'www-authenticate'), as)
      assert.notEqual((await ask(wire, 'OPTIONS', user, [`Authorization: ${right}`])).status, 401, method)
    }
  })

  beside('who is shut out for guessing at one account cannot tell: the right password is refused as the wrong ones were', async () => {
    for (const user of ['101', '999']) {
      await using wire = await stranger()
      const shapes = new Set<string>()
      for (const tried of [...Array.from({ length: 8 }, (_, i) => `guess ${i}`), password]) {
        const challenged = await ask(wire, 'OPTIONS', user)
        const as = { user, password: tried, method: 'OPTIONS', uri: uriOf('OPTIONS') }
        const refused = await ask(wire, 'OPTIONS', user, [`Authorization: ${authorization(header(challenged, 'www-authenticate'), as)}`])
        assert.equal(refused.status, 401, tried)
        // Nonces grow by a digit now and then.
        shapes.add(shapeOf(refused).replace(/\d+$/, ''))
      }
      assert.equal(shapes.size, 1, [...shapes].join('\n'))
    }
    assert.equal((await phone.register()).status, 200)
  })

  beside('what a call has of requests does nothing outside one, and is no way around a password', async () => {
    await using wire = await stranger()
    for (const method of ['PUBLISH', 'REFER', 'NOTIFY', 'INFO', 'UPDATE', 'PRACK', 'BYE', 'CANCEL', 'WHATEVER']) {
      wire.send(
        [
          `${method} sip:100@${domain} SIP/2.0`,
          `Via: ${wire.via()}`,
          'Max-Forwards: 70',
          `From: <sip:101@${domain}>;tag=${newTag()}`,
          `To: <sip:100@${domain}>`,
          `Call-ID: outside-${method}`,
          `CSeq: 1 ${method}`,
          `Contact: <sip:evil@${wire.at}>`,
          ...['Event: refer', 'Subscription-State: active', `Refer-To: <sip:101@${domain}>`, 'RAck: 1 1 INVITE'],
          'Content-Length: 0',
          '',
          '',
        ].join('\r\n'),
      )
      const { status } = await wire.next(method, (message) => header(message, 'call-id') === `outside-${method}`)
      assert.ok([401, 405, 481, 489, 501].includes(status), `${method}: ${status}`)
    }
  })

  beside('a To tag is no way around: a dialog that does not exist is none', async () => {
    await using wire = await stranger()
    for (const method of methods) assert.equal((await ask(wire, method, '101', [tagged])).status, 481, method)
  })

  beside('who exists and who does not get the same answers, byte for byte but for the nonce', async () => {
    for (const method of methods) {
      await using wire = await stranger()
      const shapes = new Set<string>()
      for (const user of ['101', '999', '555', '000']) shapes.add(shapeOf(await ask(wire, method, user)).replace(/\d+$/, ''))
      // Two phones are offered two things: names that nobody has look like the one or the other, and each always alike.
      const ofPhones = new Set<string>()
      for (const user of ['100', '101']) ofPhones.add(shapeOf(await ask(wire, method, user)).replace(/\d+$/, ''))
      const ofNobody = new Set<string>()
      for (let user = 300; user < 330; user++) {
        const [once, again] = [await ask(wire, method, String(user)), await ask(wire, method, String(user))].map(shapeOf)
        assert.equal(once, again)
        ofNobody.add(once?.replace(/\d+$/, '') ?? '')
      }
      assert.deepEqual([...ofNobody].toSorted(), [...ofPhones].toSorted())
      for (const shape of shapes) assert.ok(ofPhones.has(shape), shape)
    }
  })

  beside('one phone cannot register, wipe or outnumber another', async () => {
    const contact = at.phone.contact
    for (const said of [
      { to: `<sip:100@${domain}>` },
      { to: `<sip:100@${domain}>`, from: `<sip:100@${domain}>` },
      { to: `<sip:100@other.test>` },
    ])
      assert.notEqual((await phone.register(said)).status, 200, JSON.stringify(said))
    const wiped = await phone.request('REGISTER', `sip:${domain}`, { to: `<sip:100@${domain}>`, headers: ['Contact: *', 'Expires: 0'] })
    assert.notEqual(wiped.status, 200, 'a wildcard')
    const crowd = Array.from({ length: 200 }, (_, i) => `<sip:c${i}@${phone.wire.at}>`).join(', ')
    const many = await phone.request('REGISTER', `sip:${domain}`, { to: `<${phone.aor}>`, headers: [`Contact: ${crowd}`, 'Expires: 60'] })
    assert.notEqual(many.status, 200, 'two hundred contacts')
    for (let i = 0; i < 40; i++) {
      await phone.request('REGISTER', `sip:${domain}`, {
        to: `<${phone.aor}>`,
        headers: [`Contact: <sip:c${i}@${phone.wire.at}>`, 'Expires: 60'],
      })
    }
    const mine = await phone.register()
    const kept = (mine.headers.get('contact') ?? []).length
    assert.ok(kept <= 10, `${kept} contacts are kept`)
    assert.deepEqual((await at.phone.register()).headers.get('contact')?.length, 1)
    assert.ok(contact.length > 0)
  })

  beside(
    'who guesses at many accounts is banned after eight, with an alarm; who guesses from everywhere at one does not lock out its phone',
    async () => {
      const mark = at.facts.mark
      const operator = await Api.of(at.system.settings, 'operator', 'demo')
      await using wire = await stranger()
      let tries = 0
      const guess = async (from: Wire, user: string): Promise<void> => {
        const challenged = await ask(from, 'REGISTER', user)
        const wrong = authorization(header(challenged, 'www-authenticate'), {
          user,
          password: `guess ${tries}`,
          method: 'REGISTER',
          uri: `sip:${domain}`,
        })
        tries++
        assert.equal((await ask(from, 'REGISTER', user, [`Authorization: ${wrong}`])).status, 401)
      }
      const banned = async (): Promise<{ who: string; reason: string }[]> =>
        (await operator.give<{ bans: { who: string; reason: string }[] }>('GET', '/v1/bans')).bans
      while (!(await banned()).some(({ who }) => who === wire.address) && tries < 20) await guess(wire, String(200 + tries))
      // As one who guesses at many: what wrong passwords cost anyhow would have been too much a few guesses later, and only of one in a hurry.
      assert.ok(tries <= 8, `banned after ${tries} guesses`)
      assert.match((await banned()).find(({ who }) => who === wire.address)?.reason ?? '', /several accounts/)
      await at.facts.next('alarm.raised', ({ rule }) => rule === 'source-banned', mark)
      for (let i = 0; i < 40; i++) {
        await using other = await stranger()
        await guess(other, '101')
      }
      await at.facts.next('alarm.raised', ({ rule, detail }) => rule === 'password-guessing' && detail.startsWith('101@'))
      assert.ok((await banned()).some(({ who, reason }) => who === `101@${domain}` && /several addresses/.test(reason)))
      assert.equal((await phone.register()).status, 200)
    },
  )
})

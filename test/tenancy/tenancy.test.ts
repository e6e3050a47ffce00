import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { newTag } from '#test/support/wire.ts'
import type { Said } from '#test/support/wire-phone.ts'
import { callWithin, recordingOf, TwoCompanies } from '#test/tenancy/two-companies.ts'

/** A sound of the demo company. */
function sound(): Promise<Buffer<ArrayBuffer>> {
  return readFile(join(import.meta.dirname, '..', '..', 'examples', 'demo', 'prompts', 'barred.wav'))
}

type OpenApi = { paths: Record<string, Record<string, { parameters?: { name: string; in: string }[]; security?: unknown }>> }

test('two companies with the same extensions on one system never reach each other', async (t) => {
  await using at = await TwoCompanies.start()
  const { red, blue } = at
  for (const phone of [...red.phones, ...blue.phones]) assert.equal((await phone.register()).status, 200)
  const blueCall = await callWithin(blue)
  await callWithin(red)

  await t.test('every route answers another company’s id like one that never was', async () => {
    const { paths } = (await red.api.get('/openapi.json')) as OpenApi
    const keys = await blue.api.get<{ keys: { id: string }[] }>('/v1/keys')
    const kept = await recordingOf(blue, blueCall)
    // It is listed when the database has it, a moment after its fact.
    let audio = await blue.api.ask('GET', `/v1/recordings/${kept}/audio`)
    for (let i = 0; i < 100 && audio.status === 404; i++) {
      await pause(100)
      audio = await blue.api.ask('GET', `/v1/recordings/${kept}/audio`)
    }
    assert.ok(audio.status === 200 && audio.text.length > 0, 'it really exists')
    const foreign = [blueCall, keys.keys[0]?.id ?? assert.fail(), kept]
    let asked = 0
    for (const [path, methods] of Object.entries(paths)) {
      if (!path.includes('{')) continue
      for (const method of Object.keys(methods)) {
        for (const id of foreign) {
          const unknown = Array.from(id, (c) => (/[a-f0-9]/.test(c) ? '7' : c)).join('')
          const ask = (value: string) =>
            red.api.ask(
              method.toUpperCase(),
              path.replaceAll(/\{[^}]+\}/g, value),
              method === 'get' || method === 'delete' ? undefined : {},
            )
          const [theirs, nobodys] = [await ask(id), await ask(unknown)]
          assert.ok(theirs.status >= 400, `${method} ${path} with ${id}: ${theirs.status} ${theirs.text}`)
          assert.deepEqual(
            [theirs.status, theirs.text.replaceAll(id, 'ID')],
            [nobodys.status, nobodys.text.replaceAll(unknown, 'ID')],
            `${method} ${path}`,
          )
          asked++
        }
      }
    }
    assert.ok(asked >= 12, `${asked} requests`)
  })

  await t.test('every list shows a company its own only, and none takes another’s name', async () => {
    const { paths } = (await red.api.get('/openapi.json')) as OpenApi
    for (const [path, methods] of Object.entries(paths)) {
      if (methods['get'] === undefined || path.includes('{') || path.includes('/events')) continue
      const own = await red.api.ask('GET', path)
      assert.doesNotMatch(own.text, /blue|74950000300/, path)
      const secured = path.startsWith('/v1/')
      if (!secured) continue
      for (const asked of [
        await red.api.ask('GET', path, undefined, { 'centrala-company': 'blue' }),
        await red.api.ask('GET', path, undefined, { 'centrala-company': 'nobody' }),
      ]) {
        assert.ok(asked.status === 404 || asked.status === 403, `${path}: ${asked.status}`)
      }
      assert.equal((await red.api.ask('GET', path, undefined, { authorization: 'Bearer ck_00000000_AAAA' })).status, 401, path)
    }
  })

  await t.test('the event stream of one says nothing of the other', () => {
    assert.ok(!JSON.stringify([red.facts.snapshot, red.facts.facts]).includes('blue'))
    assert.ok(blue.facts.facts.every((fact) => fact.tenant === 'blue'))
    assert.ok(red.facts.facts.every((fact) => fact.tenant === 'red'))
  })

  await t.test('no password of one registers at the other, whatever is written where', async () => {
    const [phone] = red.phones
    const confusions: Record<string, Said> = {
      'To and From of the other': { to: '<sip:100@blue.test>', from: '<sip:100@blue.test>' },
      'To of the other': { to: '<sip:100@blue.test>' },
      'Request-URI and To of the other': { requestUri: 'sip:blue.test', to: '<sip:100@blue.test>', from: '<sip:100@blue.test>' },
      'realm of ours for an address of the other': { to: '<sip:100@blue.test>', from: '<sip:100@blue.test>', realm: 'red.test' },
      'user name with a domain': { to: '<sip:100@blue.test>', from: '<sip:100@blue.test>', user: '100@red.test' },
    }
    for (const [what, said] of Object.entries(confusions)) {
      const { status } = await phone.register(said)
      assert.ok(status === 401 || status === 403, `${what}: ${status}`)
    }
    assert.equal(blue.facts.of('device.registered').length, 2)
  })

  await t.test('a call of one reaches its own extension only, whatever domain it names', async () => {
    const [phone, own] = red.phones
    const [, theirs] = blue.phones
    own.answersAlone = true
    const confusions: Record<string, Said> = {
      'Request-URI of the other': { requestUri: 'sip:101@blue.test' },
      'Request-URI and To of the other': { requestUri: 'sip:101@blue.test', to: '<sip:101@blue.test>' },
      'a Route through the other': { headers: ['Route: <sip:blue.test;lr>'] },
      'a P-Asserted-Identity of the other': { requestUri: 'sip:101@blue.test', headers: ['P-Asserted-Identity: <sip:100@blue.test>'] },
    }
    for (const [what, said] of Object.entries(confusions)) {
      const call = await phone.call('101', said)
      if (call.status === 200) await call.bye()
      assert.equal(theirs.wire.received.filter((message) => message.method === 'INVITE').length, 0, what)
    }
    own.answersAlone = false
    const { status } = await phone.call('101', { from: '<sip:100@blue.test>' })
    assert.ok(status === 401 || status === 403, `From of the other: ${status}`)
  })

  await t.test('a Contact in the domain of the other is worth as little as one in a domain that nobody has', async () => {
    const [phone, own] = red.phones
    const [theirCaller, theirs] = blue.phones
    own.answersAlone = true
    const outcomes = async (domain: string): Promise<number[]> => {
      const contact = `sip:101@${domain}`
      const mark = red.facts.mark
      const registered = await own.register({ contact })
      // A call to the extension that claims to be there ...
      const called = await phone.call('101')
      if (called.status === 200) await called.bye()
      await red.facts.next('call.ended', () => true, mark)
      // ... and one from a phone that does: who hangs up there tells the phone, wherever it says it is.
      const from = red.facts.mark
      const calling = await phone.call('101', { contact })
      const { call } = await red.facts.next('call.started', () => true, from)
      assert.equal((await red.api.ask('DELETE', `/v1/calls/${call}`)).status, 204)
      await calling.ended()
      await red.facts.next('call.ended', (fact) => fact.call === call, from)
      return [registered.status, called.status, calling.status]
    }
    const before = theirs.wire.received.length
    assert.deepEqual(await outcomes('blue.test'), await outcomes('nobody.test'))
    assert.equal(theirs.wire.received.length, before, 'nothing reaches the other company')
    own.answersAlone = false
    // Nor does the other company lose a call to it.
    const answered = theirs.answered()
    const call = await theirCaller.call('101')
    assert.equal(call.status, 200)
    await answered
    await call.bye()
    await (await answered).ended()
    const forgotten = await own.request('REGISTER', `sip:${red.domain}`, { to: `<${own.aor}>`, headers: ['Contact: *', 'Expires: 0'] })
    assert.equal(forgotten.status, 200)
    assert.equal((await own.register()).status, 200)
  })

  await t.test('a transfer to an extension of the other reaches nobody there', async () => {
    const [phone, own] = red.phones
    const [, theirs] = blue.phones
    own.answersAlone = true
    for (const target of ['sip:101@blue.test', `sip:101@${theirs.wire.address}:${theirs.wire.port}`]) {
      const mark = red.facts.mark
      const call = await phone.call('101')
      assert.equal(call.status, 200)
      assert.equal((await call.request('REFER', [`Refer-To: <${target}>`, 'Referred-By: <sip:100@blue.test>'])).status, 202)
      const { call: id } = await red.facts.next('transfer.completed', (fact) => fact.to === '101', mark)
      assert.equal((await red.api.ask('DELETE', `/v1/calls/${id}`)).status, 204)
      await red.facts.next('call.ended', (fact) => fact.call === id, mark)
      assert.ok(!theirs.wire.received.some((message) => message.method === 'INVITE'), target)
    }
    own.answersAlone = false
  })

  await t.test('sounds of the other cannot be reached by any path', async () => {
    const put = await fetch(`${blue.api.url}/v1/prompt-files/secret.wav`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${blue.api.key}`, 'content-type': 'audio/wav' },
      body: await sound(),
    })
    assert.ok(put.status < 300, await put.text())
    const nobodys = await red.api.ask('GET', '/v1/prompt-files/nobody.wav')
    assert.equal(nobodys.status, 404)
    for (const path of [
      'secret.wav',
      '../blue/secret.wav',
      '..%2Fblue%2Fsecret.wav',
      '%2e%2e/blue/secret.wav',
      '..%5cblue%5csecret.wav',
      'a/../../blue/secret.wav',
      '%2Fetc%2Fpasswd',
      'secret.wav%00',
    ]) {
      for (const method of ['GET', 'DELETE']) {
        const { status } = await red.api.ask(method, `/v1/prompt-files/${path}`)
        assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`)
      }
    }
    assert.equal((await blue.api.ask('GET', '/v1/prompt-files/secret.wav')).status, 200)
  })

  await t.test('a company cannot take the number or the SIP domain of another, and is not told whose it is', async () => {
    const { documents } = await red.api.get<{ documents: Record<string, unknown>[] }>('/v1/configuration')
    const greedy = documents.map((doc) =>
      doc['kind'] === 'number'
        ? { ...doc, number: '+74950000300' }
        : doc['kind'] === 'company'
          ? { ...doc, sipDomains: ['red.test', 'BLUE.test'] }
          : doc,
    )
    const refused = await red.api.ask('PUT', '/v1/configuration', { documents: greedy })
    assert.equal(refused.status, 422)
    const { problems } = refused.body as { problems: { rule: string; pointer: string }[] }
    assert.deepEqual(problems.map(({ rule, pointer }) => `${rule} ${pointer}`).toSorted(), ['taken /number', 'taken /sipDomains/1'])
  })

  await t.test('a company cannot take calls from where those of another come, unless the operator shares it', async () => {
    const trunk = (addresses: string[]): object => ({ kind: 'trunk', id: 'carrier', host: '203.0.113.1', healthSeconds: 0, addresses })
    const apply = async (company: typeof red, addresses: string[]): Promise<{ status: number; body: unknown }> => {
      const { documents } = await company.api.get<{ documents: { kind: string }[] }>('/v1/configuration')
      const others = documents.filter(({ kind }) => kind !== 'trunk')
      return company.api.ask('PUT', '/v1/configuration', { documents: [...others, trunk(addresses)] })
    }
    assert.equal((await apply(blue, ['203.0.113.0/24', '127.0.0.77'])).status, 200)
    const refused = await apply(red, ['198.51.100.1', '203.0.113.9'])
    assert.equal(refused.status, 422)
    const { problems } = refused.body as { problems: { rule: string; pointer: string; expected: string }[] }
    assert.deepEqual(
      problems.map(({ rule, pointer }) => `${rule} ${pointer}`),
      ['source-taken /addresses/1'],
    )
    assert.match(problems[0]?.expected ?? '', /operator/)
    assert.ok(!JSON.stringify(refused.body).includes('blue'))
    assert.equal((await apply(red, ['127.0.0.77'])).status, 200, 'our own machine is shared')
  })

  await t.test('calls with the same Call-ID have nothing to do with each other', async () => {
    const callId = `${newTag()}@same`
    const theirs = await callWithin(blue, callId)
    const ours = await callWithin(red, callId)
    assert.notEqual(theirs, ours)
    const { text } = await red.api.ask('GET', `/v1/calls/${ours}/ladder`)
    assert.ok(text.includes('red.test') && !text.includes('blue.test'))
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InviteDialog } from '#sip/agent.ts'
import { MemoryTown, Notes, Puppet, sdp } from '#sip/agent/memory-town.ts'

const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }
const text = (body: Uint8Array): string => Buffer.from(body).toString()

/** Bob has answered the INVITE (CSeq 1) of a caller who is written out by hand, and has no ACK yet. */
async function answered(offer = 'offer') {
  const town = new MemoryTown()
  const bob = await town.move('10.0.0.2')
  const caller = new Puppet(town, '10.0.0.9')
  const flow = caller.flowTo('10.0.0.2')
  /** `branch`: that of another request, for what belongs to it: CANCEL, and the ACK of a failure. */
  const say = (method: string, seq: number, body = '', branch = `${method}${seq}`): void => {
    const tag = method === 'CANCEL' ? undefined : caller.responses.find(({ status }) => status >= 200)?.headers.to.tag
    const head = [
      `${method} sip:bob@10.0.0.2 SIP/2.0`,
      `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK${branch};rport`,
      'From: <sip:alice@10.0.0.9>;tag=alice',
      `To: <sip:bob@10.0.0.2>${tag === undefined ? '' : `;tag=${tag}`}`,
      'Call-ID: c1',
      `CSeq: ${seq} ${method}`,
      'Contact: <sip:alice@10.0.0.9>',
      ...(method === 'REFER' ? ['Refer-To: <sip:carol@10.0.0.2>'] : []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ]
    caller.say(flow, head, body)
  }
  const notes = new Notes()
  const dialogs: InviteDialog[] = []
  bob.onInvite = (invite) => void dialogs.push(invite.accept(sdp('of bob'), notes))
  say('INVITE', 1, offer)
  await town.pass(10)
  const [dialog] = dialogs
  assert.ok(dialog !== undefined)
  /** The final answers so far, in order. */
  const finals = (): string[] =>
    caller.responses
      .filter(({ status }) => status >= 200)
      .map(({ status, headers }) => `${headers.cseq.seq} ${headers.cseq.method} ${status}`)
  /** Sends a request and gives what it is answered with. */
  const ask = async (method: string, seq: number, body = ''): Promise<string[]> => {
    const told = finals().length
    say(method, seq, body)
    await town.pass(10)
    const answers = finals().slice(told)
    if (method === 'INVITE') say('ACK', seq, '', answers.some((each) => each.endsWith(' 200')) ? undefined : `INVITE${seq}`)
    await town.pass(10)
    return answers
  }
  return { town, bob, caller, flow, dialog, notes, say, ask, finals }
}

test('a CANCEL that comes after our 2xx gets 200 and changes nothing (RFC 5407 §3.1.2)', async () => {
  const { town, notes, say, finals } = await answered()
  say('CANCEL', 1, '', 'INVITE1')
  say('ACK', 1)
  await town.pass(40_000)
  assert.deepEqual(finals(), ['1 INVITE 200', '1 CANCEL 200'])
  assert.deepEqual([notes.acknowledged, notes.ended], [[null], []])
})

test('a BYE that comes before its ACK ends the call once, and the 2xx is not repeated any more (RFC 5407 §3.1.3, §3.1.6)', async () => {
  const { town, caller, notes, say, finals } = await answered()
  say('BYE', 2)
  await town.pass(10)
  assert.deepEqual(notes.ended, [{ kind: 'bye', reason: null }])
  say('ACK', 1)
  await town.pass(40_000)
  assert.deepEqual(finals(), ['1 INVITE 200', '2 BYE 200'])
  assert.deepEqual([notes.acknowledged, notes.ended.length, caller.requests], [[], 1, []])
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.deepEqual(town.faults, [])
})

test('a re-INVITE that comes before the ACK is taken, and from then on only its own 2xx waits for one (RFC 5407 §3.1.4)', async () => {
  const { town, notes, say, finals } = await answered()
  say('INVITE', 2, 'hold')
  await town.pass(10)
  say('ACK', 1)
  await town.pass(600)
  // The first ACK was late, the second is lost until here.
  assert.deepEqual(finals(), ['1 INVITE 200', '2 INVITE 200', '2 INVITE 200'])
  say('ACK', 2)
  await town.pass(40_000)
  assert.equal(finals().length, 3)
  assert.deepEqual(
    notes.offers.map(({ body }) => text(body)),
    ['hold'],
  )
  assert.deepEqual([notes.acknowledged, notes.ended], [[null], []])
  say('BYE', 3)
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a re-INVITE gets 491 while our 2xx has an offer that the ACK is to answer (RFC 5407 §3.1.5)', async () => {
  const { town, notes, say, ask } = await answered('')
  assert.deepEqual(await ask('INVITE', 2, 'hold'), ['2 INVITE 491'])
  assert.deepEqual(notes.offers, [])
  say('ACK', 1, 'answer of alice')
  await town.pass(10)
  assert.deepEqual(
    notes.acknowledged.map((body) => body && text(body.bytes)),
    ['answer of alice'],
  )
  assert.deepEqual(await ask('INVITE', 3, 'hold'), ['3 INVITE 200'])
  assert.deepEqual(await ask('BYE', 4), ['4 BYE 200'])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a re-INVITE or a REFER that comes after our BYE gets 481, and nobody hears of it (RFC 5407 §3.2.2, §3.3.3)', async () => {
  const { town, caller, flow, dialog, notes, say, ask } = await answered()
  // Before the ACK our BYE waits; the owner has hung up all the same.
  dialog.bye()
  assert.deepEqual([await ask('INVITE', 2, 'hold'), await ask('REFER', 3)], [['2 INVITE 481'], ['3 REFER 481']])
  assert.equal(caller.requests.length, 0)
  say('ACK', 1)
  await town.pass(10)
  const [bye] = caller.requests
  assert.ok(bye?.method === 'BYE')
  assert.deepEqual([await ask('INVITE', 4, 'hold'), await ask('REFER', 5)], [['4 INVITE 481'], ['5 REFER 481']])
  caller.answer(bye, flow, 200)
  await town.pass(10)
  assert.deepEqual([await ask('INVITE', 6, 'hold'), await ask('REFER', 7)], [['6 INVITE 481'], ['7 REFER 481']])
  assert.deepEqual([notes.offers, notes.requests, notes.ended], [[], [], []])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('an UPDATE with an offer that crosses our re-INVITE gets 491; ours, refused likewise, is tried again (RFC 5407 §3.3.2)', async () => {
  const { town, caller, flow, dialog, notes, say, ask } = await answered()
  say('ACK', 1)
  const results: number[] = []
  dialog.reinvite(sdp('ours'), (result, acknowledge) => {
    results.push(result.kind === 'response' ? result.status : 0)
    acknowledge()
  })
  await town.pass(10)
  const ours = () => caller.requests.filter(({ method }) => method === 'INVITE')
  const [first] = ours()
  assert.ok(first !== undefined)
  assert.deepEqual(await ask('UPDATE', 2, 'theirs'), ['2 UPDATE 491'])
  caller.onRequest = (request) => {
    if (request.method === 'INVITE') caller.answer(request, flow, 200, { headers: [['Contact', '<sip:alice@10.0.0.9>']] })
  }
  caller.answer(first, flow, 491)
  await town.pass(2_100)
  assert.deepEqual([ours().length, results, notes.offers], [2, [200], []])
  assert.deepEqual(await ask('UPDATE', 3, 'theirs'), ['3 UPDATE 200'])
})

test('of a re-INVITE and an UPDATE of the peer the one that comes while the other is thought about gets 500 with Retry-After', async () => {
  for (const [first, second] of [
    ['UPDATE', 'INVITE'],
    ['INVITE', 'UPDATE'],
  ] as const) {
    const { town, caller, notes, say, ask } = await answered()
    say('ACK', 1)
    const replies: { accept(body: ReturnType<typeof sdp>): void }[] = []
    notes.reply = (reply) => void replies.push(reply)
    say(first, 2, 'one')
    await town.pass(10)
    assert.deepEqual(await ask(second, 3, 'two'), [`3 ${second} 500`])
    assert.ok((caller.responses.at(-1)?.headers.retryAfter ?? 11) <= 10)
    replies[0]?.accept(sdp('answer'))
    await town.pass(10)
    assert.deepEqual(
      caller.responses.slice(-1).map(({ status, headers }) => `${headers.cseq.seq} ${headers.cseq.method} ${status}`),
      [`2 ${first} 200`],
    )
    assert.deepEqual(
      notes.offers.map(({ method, body }) => `${method} ${text(body)}`),
      [`${first} one`],
    )
  }
})

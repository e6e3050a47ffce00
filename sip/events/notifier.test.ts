import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import type { EventDialog } from '#sip/agent.ts'
import { MemoryTown, Puppet } from '#sip/agent/memory-town.ts'
import type { EventPackage } from '#sip/events/event-package.ts'
import { Notifier, type NotifierLimits } from '#sip/events/notifier.ts'
import type { KeptSubscription } from '#sip/events/subscription.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { parseSipUri } from '#sip/message/uri.ts'

/** The weather of two towns, as an event package. */
class Weather implements EventPackage {
  readonly name = 'weather'
  readonly types = ['text/weather']
  readonly expires = { least: 60, usual: 600, most: 3_600 }
  readonly pauseMs = 1_000
  readonly now = new Map([['mow', 'snow']])
  allowed = true

  admit(request: SipRequest): ReturnType<EventPackage['admit']> {
    const town = parseSipUri(request.uri)?.user ?? ''
    return this.now.has(town) ? { group: 'all', watcher: 'me', resource: town, entity: request.uri } : { status: 404 }
  }
  examine(): 'active' | 'rejected' {
    return this.allowed ? 'active' : 'rejected'
  }
  view({ resource }: { resource: string }): ReturnType<EventPackage['view']> {
    let told: string | undefined
    const full = (version: number): string => `${version} full ${(told = this.now.get(resource))}`
    return {
      type: 'text/weather',
      full,
      changes: (version) => (told === this.now.get(resource) ? null : full(version).replace('full', 'now')),
    }
  }
}

/** A notifier, and a subscriber that sends by hand and answers every NOTIFY with `answers`. */
async function office(limits: Partial<NotifierLimits> = {}, kept = new Map<string, KeptSubscription>()) {
  const town = new MemoryTown()
  const weather = new Weather()
  const citizen = await town.move('10.0.0.2', {
    methods: ['SUBSCRIBE'],
    policy: {
      identify: () => ({ kind: 'trusted', identity: { id: 'me', aor: null } }),
      onInvite: (invite) => invite.reject(486),
      onSubscribe: (incoming, who) => notifier.receive(incoming, who),
    },
  })
  const notifier = new Notifier(
    {
      clock: town.clock,
      random: countingRandom(),
      keep: (id, value) => void (value === null ? kept.delete(id) : kept.set(id, structuredClone(value))),
      adoptEvents: (dialog, onRequest): EventDialog => citizen.agent.adoptEvents(dialog, onRequest),
    },
    [weather],
    limits,
  )
  const puppet = new Puppet(town, '10.0.0.9')
  const answers = { status: 200 }
  puppet.onRequest = (request, flow) => puppet.answer(request, flow, answers.status)
  let branch = 0
  const subscribe = async (
    lines: readonly string[] = [],
    parts: { to?: string; callId?: string; town?: string } = {},
  ): Promise<SipResponse> => {
    const before = puppet.responses.length
    puppet.say(puppet.flowTo('10.0.0.2'), [
      `SUBSCRIBE sip:${parts.town ?? 'mow'}@10.0.0.2 SIP/2.0`,
      `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK${++branch};rport`,
      'From: <sip:me@10.0.0.9>;tag=f',
      `To: ${parts.to ?? '<sip:mow@10.0.0.2>'}`,
      `Call-ID: ${parts.callId ?? `c${branch}`}`,
      `CSeq: ${branch} SUBSCRIBE`,
      ...(lines.some((line) => line.startsWith('Contact:')) ? [] : ['Contact: <sip:me@10.0.0.9>']),
      ...(lines.some((line) => line.startsWith('Event:')) ? [] : ['Event: weather']),
      ...lines,
    ])
    await town.pass(50)
    const response = puppet.responses[before]
    assert.ok(response !== undefined)
    return response
  }
  const notified = (): string[] =>
    puppet.requests.map((request) => `${request.headers.get('Subscription-State')} | ${Buffer.from(request.body).toString()}`)
  return { town, weather, notifier, puppet, answers, subscribe, notified, kept }
}

test('a subscriber is told the whole state at once, and changes as they come, with at least the pause between', async () => {
  const { town, weather, notifier, subscribe, notified } = await office()
  const accepted = await subscribe(['Expires: 300'])
  assert.deepEqual(town.faults, [])
  assert.deepEqual([accepted.status, accepted.headers.expires, accepted.headers.get('Allow-Events')], [200, 300, 'weather'])
  assert.ok(accepted.headers.contact !== undefined)
  await town.pass(2_000)
  for (const sky of ['rain', 'sun', 'fog']) {
    weather.now.set('mow', sky)
    notifier.changed('weather', 'mow')
    notifier.changed('weather', 'kgd')
    await town.pass(100)
  }
  assert.deepEqual(notified(), ['active;expires=300 | 0 full snow', 'active;expires=298 | 1 now rain'])
  await town.pass(1_000)
  assert.deepEqual(notified().slice(2), ['active;expires=297 | 2 now fog'])
})

test('a refresh tells everything again; without one the subscription ends by its time, and the dialog with it', async () => {
  const { town, notifier, subscribe, notified } = await office()
  const { headers } = await subscribe(['Expires: 60'], { callId: 'c' })
  const to = `<sip:mow@10.0.0.2>;tag=${headers.to.tag}`
  await town.pass(50_000)
  assert.equal((await subscribe(['Expires: 90'], { callId: 'c', to })).status, 200)
  await town.pass(89_000)
  assert.equal(notifier.size, 1)
  await town.pass(2_000)
  assert.equal(notifier.size, 0)
  assert.deepEqual(notified(), [
    'active;expires=60 | 0 full snow',
    'active;expires=90 | 1 full snow',
    'terminated;reason=timeout | 2 full snow',
  ])
  assert.equal((await subscribe([], { callId: 'c', to })).status, 481)
})

test('Expires 0 ends a subscription with the state as it is; outside a dialog it asks for the state once', async () => {
  const { town, notifier, subscribe, notified, kept } = await office()
  const { headers } = await subscribe([], { callId: 'c' })
  assert.equal(kept.size, 1)
  await subscribe(['Expires: 0'], { callId: 'c', to: `<sip:mow@10.0.0.2>;tag=${headers.to.tag}` })
  await subscribe(['Expires: 0'])
  await town.pass(1_000)
  assert.deepEqual(notified().slice(1), ['terminated;reason=timeout | 1 full snow', 'terminated;reason=timeout | 0 full snow'])
  assert.deepEqual([notifier.size, kept.size], [0, 0])
})

test('what is not served is refused by name', async () => {
  const { notifier, subscribe } = await office({ perGroup: 1 })
  const bad = await subscribe(['Event: tides'])
  assert.deepEqual([bad.status, bad.headers.get('Allow-Events')], [489, 'weather'])
  const brief = await subscribe(['Expires: 30'])
  assert.deepEqual([brief.status, brief.headers.get('Min-Expires')], [423, '60'])
  assert.equal((await subscribe(['Accept: text/tides'])).status, 406)
  assert.equal((await subscribe([], { town: 'kgd' })).status, 404)
  assert.equal((await subscribe(['Accept: text/*'])).status, 200)
  assert.equal((await subscribe()).status, 403)
  assert.deepEqual(notifier.counts.refused, { 489: 1, 423: 1, 406: 1, 404: 1, 403: 1 })
})

test('a subscriber that says it knows nothing of it, or nothing at all, is told nothing more', async () => {
  const { town, weather, notifier, puppet, answers, subscribe } = await office()
  await subscribe()
  answers.status = 481
  await town.pass(2_000)
  weather.now.set('mow', 'rain')
  notifier.changed('weather', 'mow')
  await town.pass(100)
  assert.equal(notifier.size, 0)
  puppet.onRequest = () => undefined
  await subscribe()
  await town.pass(40_000)
  assert.equal(notifier.size, 0)
  assert.deepEqual(notifier.counts.ended, { silent: 2 })
})

test('past the cap of one watcher the subscription that would end first gives way', async () => {
  const { town, notifier, subscribe, notified } = await office({ perWatcher: 2 })
  await subscribe(['Expires: 900'])
  await subscribe(['Expires: 600'])
  await subscribe(['Expires: 900'])
  await town.pass(100)
  assert.equal(notifier.size, 2)
  assert.ok(notified().some((line) => line.startsWith('terminated;reason=giveup')))
})

test('what may not be watched any more ends with the reason', async () => {
  const { town, weather, notifier, subscribe, notified } = await office()
  await subscribe()
  weather.allowed = false
  notifier.examine('all')
  await town.pass(100)
  assert.deepEqual([notifier.size, notified().at(-1)], [0, 'terminated;reason=rejected | 1 full snow'])
})

test('subscriptions outlive the process: the next life tells the whole state under higher numbers and takes refreshes', async () => {
  const before = await office()
  const { headers } = await before.subscribe(['Expires: 600'], { callId: 'c' })
  await before.subscribe(['Expires: 60'])
  const kept = structuredClone([...before.kept.values()])
  const after = await office()
  await after.town.pass(100_000)
  after.weather.now.set('mow', 'hail')
  after.notifier.adopt(kept)
  after.notifier.retell(50)
  await after.town.pass(100)
  assert.deepEqual(after.notified(), ['active;expires=501 | 1001 full hail'])
  assert.ok((after.puppet.requests[0]?.headers.cseq.seq ?? 0) > 1_000)
  const to = `<sip:mow@10.0.0.2>;tag=${headers.to.tag}`
  assert.equal((await after.subscribe([], { callId: 'c', to })).status, 500)
  assert.equal((await after.subscribe([], { callId: 'c', to })).status, 200)
  assert.equal(after.notified().at(-1), 'active;expires=600 | 1002 full hail')
})

test('who goes by a GRUU is told over its flow: the host of a GRUU leads to its registrar, which is us', async () => {
  const { town, subscribe, notified } = await office()
  town.name('town.example', '10.0.0.2')
  await subscribe(['Contact: <sip:me@town.example;gr=urn:uuid:1>'])
  assert.deepEqual(notified(), ['active;expires=600 | 0 full snow'])
})

test('nothing is left behind', async () => {
  const { town, notifier, subscribe } = await office()
  for (let i = 0; i < 5; i++) await subscribe(['Expires: 60'])
  assert.deepEqual(await town.leftovers(), { dialogs: 0, clients: 0, servers: 0, timers: 0 })
  assert.equal(notifier.size, 0)
})

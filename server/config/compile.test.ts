import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '#server/config/compile.ts'
import type { Recording } from '#contract/documents/numbers.ts'
import { keepDaysOf, recordingsFor } from '#server/config/recordings.ts'
import { resolveRing } from '#server/config/ring-plan.ts'
import { changed } from '#server/config/testing.ts'

const config = compile(changed({}))

test('what a call asks for is one look-up', () => {
  assert.equal(config.numbers.get('+37160000100')?.id, 'main')
  assert.equal(config.extensions.get('102')?.id, '102')
  assert.equal(config.devicesByUsername.get('anna2')?.id, 'anna-laptop')
  assert.deepEqual(
    config.devicesByPerson.get('anna')?.map((device) => device.id),
    ['anna-desk', 'anna-laptop'],
  )
  assert.deepEqual([...config.settled.sipDomains], ['acme.example', 'acme.test'])
})

test('the number shown outside is the own one, the person’s, or the company’s', () => {
  const shown = (id: string) => config.devices.get(id)?.callerId
  assert.deepEqual([shown('anna-desk'), shown('oleg-desk')], ['+37160000100', '+37160000102'])
  const own = compile(changed({ 'device oleg-desk': { callerId: '+37160000100' } }))
  assert.equal(own.devices.get('oleg-desk')?.callerId, '+37160000100')
})

test('a device has the caps of every device unless it has its own', () => {
  assert.deepEqual(config.devices.get('anna-desk')?.caps, { concurrentCalls: 2 })
  assert.deepEqual(config.devices.get('anna-laptop')?.caps, { concurrentCalls: 1 })
})

test('a device knows the extensions that lead to it or its person', () => {
  assert.deepEqual(
    config.devices.get('anna-laptop')?.extensions.map((extension) => extension.number),
    ['100'],
  )
})

test('a trunk has every default filled in', () => {
  assert.deepEqual(config.trunks.get('one'), {
    id: 'one',
    name: 'one',
    host: 'sip.carrier.example',
    port: null,
    transport: null,
    expects: { name: 'proxy.example', trust: 'authorities' },
    domain: 'sip.carrier.example',
    outboundProxy: { host: 'proxy.example', port: null, transport: null },
    addresses: ['sip.carrier.example', 'proxy.example'],
    register: false,
    registerSeconds: 600,
    username: null,
    authUser: null,
    password: null,
    realms: null,
    dialledNumberIn: 'request-uri',
    contactUser: null,
    numberFormat: { in: 'e164-plus', out: 'e164-plus', caller: 'e164-plus' },
    userPhone: false,
    callerId: {
      rule: 'asserted',
      read: ['pai', 'rpid', 'from'],
      trusted: true,
      forwarded: 'own',
      allowed: new Set(['+37160000100', '+37160000102']),
      default: '+37160000100',
    },
    diversion: 'none',
    identity: 'mark',
    attestation: 'C',
    sign: true,
    channels: null,
    codecs: ['PCMA', 'PCMU', 'G722', 'opus'],
    encryption: 'offered',
    redirects: false,
    healthSeconds: 10,
    healthAnswer: 'any',
    enabled: true,
  })
})

test('high-risk classes are barred unless a document permits them', () => {
  const permitted = (changes: object) =>
    Object.entries(compile(changed({ 'outbound out': changes })).outbound?.permissions ?? {}).flatMap(([name, may]) => (may ? [name] : []))
  assert.deepEqual(permitted({}), ['local', 'national', 'mobile', 'toll-free'])
  assert.deepEqual(permitted({ permissions: { international: true, mobile: false } }), ['local', 'national', 'toll-free', 'international'])
})

test('a rate is that of the longest prefix, else of the class, else nothing', () => {
  const rates = [
    { prefix: '+37', perMinute: 1 },
    { prefix: '+371', perMinute: 2 },
    { class: 'mobile', perMinute: 3 },
  ]
  const outbound = compile(changed({ 'outbound out': { rates } })).outbound
  assert.deepEqual(
    [
      outbound?.rate('+37129999999', 'mobile'),
      outbound?.rate('+37012345678', 'mobile'),
      outbound?.rate('+79990000001', 'mobile'),
      outbound?.rate('+1', 'local'),
    ],
    [2, 1, 3, 0],
  )
})

test('recording policies are scoped by direction, number and extension', () => {
  const recorded = compile(
    changed({
      'recording in': { directions: ['inbound'], numbers: ['direct'] },
      'recording anna': { extensions: ['100'] },
      'recording main': {},
      'number main': { recording: 'main' },
    }),
  )
  const ids = (call: Parameters<typeof recordingsFor>[1]) => recordingsFor(recorded, call).map((policy) => policy.id)
  assert.deepEqual(ids({ direction: 'inbound', number: '+37160000102', extensions: [] }), ['in'])
  assert.deepEqual(ids({ direction: 'outbound', number: '+37160000102', extensions: ['100'] }), ['anna'])
  assert.deepEqual(ids({ direction: 'inbound', number: '+37160000100', extensions: ['102'] }), ['main'])
  assert.deepEqual(ids({ direction: 'internal', extensions: ['102'] }), [])
  // Whoever of the two a policy names.
  assert.deepEqual(ids({ direction: 'internal', extensions: ['102', '100'] }), ['anna'])
})

test('what several policies cover is kept as long as the one that keeps it longest', () => {
  const policy = (keepDays?: number): Recording => ({ kind: 'recording', id: 'r', ...(keepDays !== undefined && { keepDays }) })
  assert.deepEqual([[policy(30)], [policy(30), policy(90), policy(7)], [policy(30), policy()], [policy()]].map(keepDaysOf), [
    30,
    90,
    undefined,
    undefined,
  ])
})

/** Steps as `ms: target ms, ...`. */
const steps = (...args: Parameters<typeof resolveRing>) =>
  resolveRing(...args).steps.map(
    (step) =>
      `${step.ms}: ${step.targets.map((t) => `${t.kind === 'device' ? t.id : t.number}${t.as === undefined ? '' : ` as ${t.as}`} ${t.ms}`).join(', ')}`,
  )

test('an extension rings all devices of its person', () => {
  assert.deepEqual(steps(config, [{ targets: [{ extension: '100' }], seconds: 15 }]), [
    '15000: anna-desk as 100 15000, anna-laptop as 100 15000',
  ])
})

test('a group rings by its steps, each member for its own time', () => {
  const expected = ['10000: anna-desk 10000, anna-laptop 10000', '30000: oleg-desk as 102 30000, +37129999999 10000']
  assert.deepEqual(steps(config, [{ targets: [{ ringGroup: 'sales' }] }]), expected)
  assert.deepEqual(steps(config, [{ targets: [{ extension: '200' }] }]), expected)
  assert.equal(resolveRing(config, [{ targets: [{ ringGroup: 'sales' }] }]).callerNamePrefix, 'Sales: ')
})

test('the seconds of a step cut a group short', () => {
  assert.deepEqual(steps(config, [{ targets: [{ ringGroup: 'sales' }], seconds: 15 }]), [
    '10000: anna-desk 10000, anna-laptop 10000',
    '5000: oleg-desk as 102 5000, +37129999999 5000',
  ])
})

test('members of an in-order group ring one after the other; atOnce bounds who rings together', () => {
  const group = (changes: object) => compile(changed({ 'ring-group sales': changes }))
  const inOrder = ['30000: oleg-desk as 102 30000', '10000: anna-desk 10000, anna-laptop 10000', '10000: +37129999999 10000']
  assert.deepEqual(steps(group({ strategy: 'in-order' }), [{ targets: [{ ringGroup: 'sales' }] }]), inOrder)
  assert.deepEqual(steps(group({ strategy: 'together', atOnce: 2 }), [{ targets: [{ ringGroup: 'sales' }] }]), [
    '30000: oleg-desk as 102 30000, anna-desk 10000, anna-laptop 10000',
    '10000: +37129999999 10000',
  ])
})

test('a phone reached in two ways rings once, for the longer time', () => {
  assert.deepEqual(steps(config, [{ targets: [{ device: 'oleg-desk' }, { ringGroup: 'sales' }], seconds: 12 }]), [
    '30000: oleg-desk as 102 30000, anna-desk 10000, anna-laptop 10000, +37129999999 10000',
  ])
})

test('a step that reaches nobody is left out', () => {
  assert.deepEqual(steps(config, [{ targets: [{ person: 'nobody' }] }, { targets: [{ device: 'oleg-desk' }], seconds: 5 }]), [
    '5000: oleg-desk 5000',
  ])
})

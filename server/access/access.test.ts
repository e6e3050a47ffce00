import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { mayActAs, openApiKeys, openIdempotencyKeys } from '#server/access/index.ts'
import { StoreAwayError, type Store } from '#server/store/index.ts'
import { testStore } from '#server/store/testing.ts'

describe('API keys', () => {
  test('say who holds them, are kept as hashes only, and stop working when revoked', async () => {
    await using box = await testStore(['alfa', 'beta'])
    const clock = new VirtualClock(1_000)
    const keys = openApiKeys(box.store, clock)
    const { key, info } = await keys.create({ tenant: 'alfa', name: 'CRM', role: 'admin' })
    assert.deepEqual(await keys.verify(key), { keyId: info.id, name: 'CRM', tenant: 'alfa', role: 'admin' })
    const other = key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A')
    for (const wrong of ['', 'ck_', other, `${key}x`]) assert.equal(await keys.verify(wrong), null)
    const rows = await box.store.acrossTenants('test', (db) => db.selectFrom('api_key').selectAll().execute())
    assert.ok(!JSON.stringify(rows).includes(key.slice(12)))
    assert.equal((await keys.list('alfa'))[0]?.lastUsedAt, 1_000)
    assert.deepEqual(await keys.list('beta'), [])
    assert.equal(await keys.revoke('beta', info.id), false)
    assert.equal(await keys.revoke('alfa', info.id), true)
    assert.equal(await keys.verify(key), null)
  })

  test('of the provider belong to no company and are seen by none', async () => {
    await using box = await testStore(['alfa'])
    const keys = openApiKeys(box.store, new VirtualClock())
    const { key } = await keys.create({ tenant: null, name: 'ops', role: 'operator' })
    assert.equal((await keys.verify(key))?.tenant, null)
    assert.deepEqual(await keys.list('alfa'), [])
    assert.equal((await keys.list(null)).length, 1)
    await assert.rejects(keys.create({ tenant: 'alfa', name: '', role: 'operator' }), RangeError)
    await assert.rejects(keys.create({ tenant: null, name: '', role: 'owner' }), RangeError)
  })

  test('known before are answered from memory while the database is away', async () => {
    await using box = await testStore(['alfa'])
    const clock = new VirtualClock()
    let away = false
    const across: Store['acrossTenants'] = (reason, work) =>
      away ? Promise.reject(new StoreAwayError('away')) : box.store.acrossTenants(reason, work)
    const keys = openApiKeys({ ...box.store, forTenant: box.store.forTenant.bind(box.store), acrossTenants: across } as Store, clock)
    const { key } = await keys.create({ tenant: 'alfa', name: '', role: 'viewer' })
    await keys.verify(key)
    away = true
    clock.advance(600_000)
    assert.equal((await keys.verify(key))?.role, 'viewer')
  })

  test('include what lesser roles may do', () => {
    assert.ok(mayActAs('owner', 'viewer'))
    assert.ok(mayActAs('operator', 'owner'))
    assert.ok(!mayActAs('viewer', 'supervisor'))
  })
})

describe('idempotency keys', () => {
  test('give a repetition the first answer, and refuse a different or simultaneous use', async () => {
    await using box = await testStore(['alfa', 'beta'])
    const clock = new VirtualClock(1_000)
    const keys = openIdempotencyKeys(box.store, clock)
    const both = await Promise.all([keys.begin('alfa', 'k', 'f'), keys.begin('alfa', 'k', 'f')])
    assert.deepEqual(both.map((verdict) => verdict.kind).sort(), ['in-progress', 'new'])
    await keys.finish('alfa', 'k', { status: 201, body: { id: 7 } })
    assert.deepEqual(await keys.begin('alfa', 'k', 'f'), { kind: 'replay', answer: { status: 201, body: { id: 7 } } })
    assert.deepEqual(await keys.begin('alfa', 'k', 'other'), { kind: 'mismatch' })
    assert.deepEqual(await keys.begin('beta', 'k', 'f'), { kind: 'new' })
    await keys.forget('beta', 'k')
    assert.deepEqual(await keys.begin('beta', 'k', 'g'), { kind: 'new' })
    clock.advance(61_000)
    assert.deepEqual(await keys.begin('beta', 'k', 'g'), { kind: 'new' })
    clock.advance(86_400_001)
    assert.deepEqual(await keys.begin('alfa', 'k', 'other'), { kind: 'new' })
  })
})

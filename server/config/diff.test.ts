import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '#server/config/compile.ts'
import { diff, renderPlan } from '#server/config/diff.ts'
import { readDocuments, readValues } from '#server/config/read.ts'
import { changed, demoFiles } from '#server/config/testing.ts'
import { writeJson, writeYaml } from '#server/config/write.ts'

test('a plan has a line for each document and each field that changes', () => {
  const before = changed({ 'device oleg-desk': { password: 'old' } })
  const after = changed({
    'person oleg': { name: 'Oleg R.', email: 'oleg@acme.example' },
    'device anna-laptop': null,
    'device oleg-desk': { password: 'new' },
    'prompt extra': { text: 'x' },
    'hours office': { weekly: [{ days: ['mon'], from: '09:00', to: '17:00' }] },
  })
  assert.equal(
    renderPlan(diff(before, after)),
    [
      '~ person oleg',
      '    ~ /name: "Oleg" -> "Oleg R."',
      '    + /email: "oleg@acme.example"',
      '- device anna-laptop',
      '~ device oleg-desk',
      '    ~ /password: "********" -> "********"',
      '~ hours office',
      '    ~ /weekly/0/to: "18:00" -> "17:00"',
      '+ prompt extra',
      '1 to add, 3 to change, 1 to remove',
      '',
    ].join('\n'),
  )
})

test('order of documents and fields is no change, order in lists is', () => {
  const documents = changed({})
  assert.deepEqual(diff(documents, [...documents].reverse()), [])
  const fieldsTurned = documents.map((document) => Object.fromEntries(Object.entries(document).reverse()) as typeof document)
  assert.deepEqual(diff(documents, fieldsTurned), [])
  const other = changed({ 'company acme': { sipDomains: ['ACME.test', 'acme.example'] } })
  assert.deepEqual(
    diff(documents, other)[0]?.fields.map(({ pointer }) => pointer),
    ['/sipDomains/0', '/sipDomains/1'],
  )
})

test('a secret in the vault is not told apart by how it is written', () => {
  const one = changed({ 'device oleg-desk': { password: { secret: 'a' } } })
  assert.deepEqual(diff(one, changed({ 'device oleg-desk': { password: { secret: 'a' } } })), [])
  assert.ok(!renderPlan(diff(one, changed({ 'device oleg-desk': { password: 'plain-text' } }))).includes('plain'))
})

test('a PIN or a private key is told by a plan as little as a password', () => {
  const signing = { url: 'https://acme.example/cert.pem', privateKey: { secret: 'a' } }
  const before = changed({ 'person oleg': { pin: { secret: 'a' } }, 'company acme': { signing } })
  const after = changed({ 'person oleg': { pin: '471100' }, 'company acme': { signing: { ...signing, privateKey: '471100' } } })
  const plan = renderPlan(diff(before, after))
  assert.deepEqual(plan.match(/\/\S+ "\*{8}" -> "\*{8}"/g), [
    '/signing/privateKey: "********" -> "********"',
    '/pin: "********" -> "********"',
  ])
  assert.doesNotMatch(plan, /471100/)
})

test('no change is an empty plan', () => assert.equal(renderPlan(diff(changed({}), changed({}))), ''))

for (const [name, documents] of [['small', changed({})] as const, ['demo', readDocuments(demoFiles()).documents] as const]) {
  test(`the ${name} company survives YAML and JSON unchanged, and is written the same each time`, () => {
    const yaml = writeYaml(documents)
    const fromYaml = readDocuments([{ name: 'a.yaml', text: yaml }])
    assert.deepEqual(fromYaml.problems, [])
    assert.deepEqual(diff(documents, fromYaml.documents), [])
    assert.equal(writeYaml([...fromYaml.documents].reverse()), yaml)
    const fromJson = readValues(JSON.parse(writeJson(documents)) as unknown[])
    assert.deepEqual(fromJson.problems, [])
    assert.deepEqual(diff(documents, fromJson.documents), [])
    assert.doesNotThrow(() => compile(fromYaml.documents))
  })
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { documentKinds, documentSchemas } from '#contract/documents/document.ts'
import { FlowNode } from '#contract/documents/flow.ts'
import { readDocuments } from '#server/config/read.ts'

const guide = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
/** The section of a kind, by its id. */
const sections = new Map(guide.split(/^### /m).map((section) => [section.split('\n', 1)[0] ?? '', section]))

for (const kind of documentKinds) {
  test(`the guide explains every field of ${kind}, and no other`, () => {
    const section = sections.get(kind) ?? ''
    const known = Object.keys(documentSchemas[kind].properties).filter((name) => name !== 'kind' && name !== 'id')
    for (const name of known) assert.ok(section.includes(`\`${name}\``), `${name} is not explained`)
    if (kind === 'flow') return
    const explained = [...section.matchAll(/^\| `([a-zA-Z0-9]+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(explained, known)
  })
}

test('the guide explains every node and field of flows', () => {
  for (const node of FlowNode.anyOf) {
    const row = new RegExp(`^\\| \`${node.properties.type.const}\` \\|.*$`, 'm').exec(guide)?.[0] ?? ''
    for (const name of Object.keys(node.properties))
      assert.ok(name === 'type' || row.includes(`\`${name}\``), `${node.properties.type.const}.${name}`)
  }
})

test('the examples of the guide are sound documents', () => {
  const examples = [...guide.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => ({ name: 'configuration.md', text }))
  assert.ok(examples.length >= 2)
  assert.deepEqual(readDocuments(examples).problems, [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Check } from 'typebox/schema'
import { documentKinds, documentSchemas } from '#contract/documents/document.ts'
import { configFuzzTarget } from '#server/config/fuzz-target.ts'
import { readDocuments, readValues } from '#server/config/read.ts'
import { changed, demoFiles, smallCompany } from '#server/config/testing.ts'
import { validateCompany } from '#server/config/validate.ts'

const encoder = new TextEncoder()

test('any bytes are read without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => configFuzzTarget(bytes)),
    { numRuns: 300, seed: 7 },
  )
})

test('a sound configuration with bytes changed, cut or doubled is read without a throw', () => {
  const seeds = [encoder.encode(smallCompany), ...demoFiles().map(({ text }) => encoder.encode(text))]
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 20 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom('---\n', '{', '*a', '&a ', ': ', '- ').map((text) => encoder.encode(text)),
    ),
  })
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }), (seed, edits) => {
      let bytes = [...seed]
      for (const { at, remove, insert } of edits) bytes = bytes.toSpliced(at % (bytes.length + 1), remove, ...insert)
      configFuzzTarget(Uint8Array.from(bytes))
    }),
    { numRuns: 300, seed: 7 },
  )
})

test('values that are sound one by one, in any selection, are validated without a throw', () => {
  const all = changed({})
  fc.assert(
    fc.property(fc.subarray(all), fc.subarray(all), (some, again) => {
      assert.ok(Array.isArray(validateCompany([...some, ...again])))
    }),
    { numRuns: 200, seed: 7 },
  )
})

/** A document of the demo or the small company with one value replaced by something else, anywhere in it. */
const mutants = fc
  .tuple(fc.constantFrom(...changed({}), ...readDocuments(demoFiles()).documents), fc.nat(), fc.jsonValue({ maxDepth: 2 }))
  .map(([document, where, value]) => {
    const places: (readonly (string | number)[])[] = []
    const visit = (inner: unknown, path: readonly (string | number)[]): void => {
      places.push(path)
      if (typeof inner !== 'object' || inner === null) return
      for (const [name, deeper] of Object.entries(inner)) visit(deeper, [...path, Array.isArray(inner) ? Number(name) : name])
    }
    visit(document, [])
    const path = places[where % places.length] ?? []
    return replaced(document, path, value)
  })

function replaced(inner: unknown, [first, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (first === undefined) return value
  if (Array.isArray(inner)) return inner.map((item, i) => (i === first ? replaced(item, rest, value) : item))
  return Object.fromEntries(
    Object.entries(inner as object).map(([name, deeper]) => [name, name === first ? replaced(deeper, rest, value) : deeper]),
  )
}

test('our reading and the JSON Schema of the kind agree on what is sound', () => {
  fc.assert(
    fc.property(mutants, (value) => {
      const kind = documentKinds.find((known) => typeof value === 'object' && value !== null && 'kind' in value && value.kind === known)
      const sound = kind !== undefined && Check(documentSchemas[kind], value)
      const { documents, problems } = readValues([value])
      assert.equal(problems.length === 0, sound, JSON.stringify(problems))
      if (sound) assert.deepEqual(documents, [value])
    }),
    { numRuns: 1000, seed: 7 },
  )
})

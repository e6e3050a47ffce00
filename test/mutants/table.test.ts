import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { mutants } from '#test/mutants/table.ts'

const project = join(import.meta.dirname, '..', '..')

test('what each mutant replaces stands in its file exactly once, and the test that must fail is there', () => {
  for (const { name, file, text, test } of mutants) {
    assert.equal(readFileSync(join(project, file), 'utf8').split(text).length - 1, 1, `${name}: ${file}`)
    assert.ok(readFileSync(join(project, test.file), 'utf8').length > 0, test.file)
  }
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length)
})

test('what each mutant makes of its file is a program', () => {
  for (const { name, file, text, becomes } of mutants) {
    const broken = readFileSync(join(project, file), 'utf8').replace(text, () => becomes)
    assert.doesNotThrow(() => stripTypeScriptTypes(broken), name)
  }
})

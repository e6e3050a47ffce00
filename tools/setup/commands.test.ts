import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandNamed, commands, helpText } from '#tools/setup/commands.mjs'

const project = join(import.meta.dirname, '..', '..')

test('help names every command, and no other word is one', () => {
  for (const { name } of commands) assert.match(helpText(), new RegExp(`^  ${name} `, 'm'))
  assert.equal(commandNamed('constructor'), undefined)
})

test('every command has a file that runs it', () => {
  const missing = commands.filter(
    ({ name, entry = `tools/${name}.ts` }) => !existsSync(join(project, entry)) && !existsSync(join(project, 'tools/cli.ts')),
  )
  assert.deepEqual(missing, [])
})

test('every npm script is a command', () => {
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  for (const [name, script] of Object.entries(scripts)) {
    assert.equal(script, `node tools/centrala.mjs ${name}`)
    assert.ok(commandNamed(name), name)
  }
})

import assert from 'node:assert/strict'
import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureOwnCommand } from '#tools/setup/own-command.mjs'

test('npx finds the command in the project, and what is there already stays', async () => {
  const project = await mkdtemp(join(tmpdir(), 'centrala-command-'))
  ensureOwnCommand(project)
  ensureOwnCommand(project)
  assert.equal(await readlink(join(project, 'node_modules', '.bin', 'centrala')), '../../tools/centrala.mjs')
  await rm(project, { recursive: true })
})

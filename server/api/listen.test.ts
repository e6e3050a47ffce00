import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import Fastify from 'fastify'
import { listenForHttp } from '#server/api/listen.ts'

test('a taken port of the page is told with who has it and the setting to change', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const at = squatter.address()
  assert.ok(at !== null && typeof at === 'object')
  await assert.rejects(
    listenForHttp(Fastify(), { address: '127.0.0.1', port: at.port }),
    new RegExp(`TCP port ${at.port} of 127\\.0\\.0\\.1: it is taken by .+; the setting is CENTRALA_HTTP_PORT`),
  )
  squatter.close()
})

test('an address that this machine does not have is told with its setting', async () => {
  await assert.rejects(
    listenForHttp(Fastify(), { address: '192.0.2.77', port: 0 }),
    /does not have that address; the setting is CENTRALA_HTTP_ADDRESS/,
  )
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ConfigProblem } from '#contract/errors.ts'
import { readSound } from '#media/file/read-sound.ts'
import { recognise } from '#media/listen/recognise.ts'
import { acme, AcmeSystem, type Doc } from '#test/trunks/acme.ts'

const project = join(import.meta.dirname, '..', '..')
const prompts = ['barred', 'capped', 'unreachable']

/** A company whose extension 200 says these prompts one after the other, and hangs up. */
function saying(...said: string[]): Doc[] {
  const nodes = Object.fromEntries(
    said.map((prompt, i) => [`say-${i}`, { type: 'play', prompts: [prompt], next: i + 1 < said.length ? `say-${i + 1}` : 'end' }]),
  )
  return acme(
    ...prompts.map((id) => ({ kind: 'prompt', id, file: `prompts/${id}.wav` })),
    { kind: 'flow', id: 'talk', start: 'say-0', nodes: { ...nodes, end: { type: 'hangup' } } },
    { kind: 'extension', id: '200', number: '200', target: { flow: 'talk' } },
  )
}

/** What a prompt says in the demo company. */
function soundOf(prompt: string): string {
  return join(project, 'examples', 'demo', 'prompts', `${prompt}.wav`)
}

interface Version {
  version: number
  text: string
  changes: { change: string; kind: string; id: string }[]
}

async function centrala(at: AcmeSystem, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [join(project, 'tools', 'centrala.mjs'), ...words, '--company', 'demo'], {
    env: { ...process.env, ...at.system.environment },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  child.stderr.on('data', (text: Buffer) => (err += text.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

/** Calls the flow and listens to its end. `meanwhile` runs when the first words are heard. */
async function hear(at: AcmeSystem, meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<string[]> {
  at.phone.ear.forget()
  const call = await at.phone.call('200')
  assert.equal(call.status, 200)
  await at.phone.ear.sound(300)
  await meanwhile()
  await call.ended()
  const library = new Map<string, Int16Array>()
  for (const id of prompts) {
    const sound = await readSound(soundOf(id))
    if (sound.kind === 'sound') library.set(id, sound.pcm)
  }
  return recognise(at.phone.ear.pcm, library).map((each) => each.prompt)
}

const currentVersion = async (at: AcmeSystem): Promise<number> => (await at.api.get<Version>('/v1/configuration')).version

test('a change of configuration is refused as a whole or taken as a whole, and touches no call in progress', async (t) => {
  await using at = await AcmeSystem.start(saying('barred', 'capped'))
  const folder = await mkdtemp(join(tmpdir(), 'configuration-'))
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
  assert.equal((await at.phone.register()).status, 200)

  await t.test('a wrong one is refused with every error and its place, by API and by files', async () => {
    const before = await currentVersion(at)
    const text = [
      'kind: device',
      'id: lost',
      "username: 'UPPER'",
      'person: nobody',
      '---',
      'kind: extension',
      "id: '300'",
      'number: 300',
      'target: { devise: desk }',
      'secands: 5',
    ].join('\n')
    const { files } = await at.api.get<{ files: { name: string; text: string }[] }>('/v1/configuration')
    const refused = await at.api.ask('PUT', '/v1/configuration', { files: [...files, { name: 'wrong.yaml', text }] })
    assert.equal(refused.status, 422)
    const { problems } = refused.body as { problems: ConfigProblem[] }
    const places = problems.filter((p) => p.severity === 'error').map((p) => `${p.file}:${p.line}:${p.column} ${p.pointer}`)
    assert.deepEqual(places.toSorted(), ['wrong.yaml:10:1 /secands', 'wrong.yaml:3:11 /username', 'wrong.yaml:9:9 /target'])
    await at.api.ask('PUT', '/v1/configuration', { documents: saying('nonsense') }).then(({ status, body }) => {
      assert.equal(status, 422)
      assert.ok((body as { problems: ConfigProblem[] }).problems.some((p) => p.kind === 'flow' && p.pointer === '/nodes/say-0/prompts/0'))
    })
    for (const file of [...files, { name: 'wrong.yaml', text }]) await writeFile(join(folder, file.name), file.text)
    const said = await centrala(at, 'apply', folder)
    assert.equal(said.code, 1)
    for (const place of ['wrong.yaml:3:11', 'wrong.yaml:9:9', 'wrong.yaml:10:1'])
      assert.ok(said.err.includes(place), `${place} in ${said.err}`)
    assert.equal(await currentVersion(at), before)
    await rm(join(folder, 'wrong.yaml'))
  })

  await t.test(
    'what is planned is shown and not done; what is applied holds for new calls, while a call in progress hears the old flow to its end',
    async () => {
      const before = await currentVersion(at)
      const wanted = { documents: saying('unreachable') }
      const planned = await at.api.give<Version>('POST', '/v1/configuration/plan', wanted)
      assert.deepEqual(
        planned.changes.map(({ change, kind, id }) => [change, kind, id]),
        [['changed', 'flow', 'talk']],
      )
      assert.ok(planned.text.includes('unreachable') && planned.text.includes('capped'))
      assert.equal(await currentVersion(at), before)
      const mark = at.facts.mark
      const old = await hear(at, async () => {
        const applied = await at.api.give<Version>('PUT', '/v1/configuration', wanted, { 'if-match': `"${before}"` })
        assert.equal(applied.version, before + 1)
      })
      assert.deepEqual(old, ['barred', 'capped'])
      assert.equal((await at.facts.next('call.started', () => true, mark)).config, before)
      assert.equal((await at.facts.next('config.changed', () => true, mark)).version, before + 1)
      assert.deepEqual(await hear(at), ['unreachable'])
    },
  )

  await t.test('who saw an older version is told so, and changes nothing', async () => {
    const before = await currentVersion(at)
    const late = await at.api.ask('PUT', '/v1/configuration', { documents: saying('capped') }, { 'if-match': `"${before - 1}"` })
    assert.equal(late.status, 409)
    assert.equal(await currentVersion(at), before)
  })

  await t.test('rolled back, new calls hear what was before', async () => {
    const before = await currentVersion(at)
    const said = await centrala(at, 'rollback')
    assert.equal(said.code, 0, said.err)
    assert.equal(await currentVersion(at), before + 1)
    assert.deepEqual(await hear(at), ['barred', 'capped'])
    const { changes } = await at.api.get<Version>(`/v1/configuration/diff?from=${before - 1}&to=${before + 1}`)
    assert.deepEqual(changes, [])
  })

  await t.test('what is exported changes nothing when applied: masked passwords go on working', async () => {
    const exported = await centrala(at, 'export', folder)
    assert.equal(exported.code, 0, exported.err)
    const planned = await centrala(at, 'plan', folder)
    assert.match(planned.out, /would not change/)
    const applied = await centrala(at, 'apply', folder)
    assert.equal(applied.code, 0, applied.err)
    assert.equal((await at.phone.register()).status, 200)
  })

  await t.test(
    'a sound belongs to the version: brought anew it is heard from the next version on, and going back brings the former back',
    async () => {
      await at.api.give('PUT', '/v1/configuration', { documents: saying('barred') })
      const put = await fetch(`${at.api.url}/v1/prompt-files/prompts/barred.wav`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${at.api.key}`, 'centrala-company': 'demo', 'content-type': 'audio/wav' },
        body: await readFile(soundOf('capped')),
      })
      assert.equal(put.status, 200)
      assert.deepEqual(await hear(at), ['barred'])
      const changed = await at.api.give<Version>('PUT', '/v1/configuration', { documents: saying('barred') })
      assert.deepEqual(
        changed.changes.map(({ change, kind, id }) => [change, kind, id]),
        [['changed', 'prompt', 'barred']],
      )
      assert.match(changed.text, /sha256/)
      assert.deepEqual(await hear(at), ['capped'])
      assert.equal((await centrala(at, 'rollback')).code, 0)
      assert.deepEqual(await hear(at), ['barred'])
      // An edit of something else keeps it.
      assert.deepEqual((await at.api.give<Version>('PUT', '/v1/configuration', { documents: saying('barred') })).changes, [])
      const exported = await centrala(at, 'export', folder)
      assert.equal(exported.code, 0, exported.err)
      assert.deepEqual(await readFile(join(folder, 'prompts', 'barred.wav')), await readFile(soundOf('barred')))
      assert.match((await centrala(at, 'plan', folder)).out, /would not change/)
    },
  )

  await t.test('a mask that stands for no secret is refused with its place', async () => {
    const documents = [...saying('barred'), { kind: 'device', id: 'new', username: 'new', password: '********' }]
    const refused = await at.api.ask('PUT', '/v1/configuration', { documents })
    assert.equal(refused.status, 422)
    assert.deepEqual(
      (refused.body as { problems: ConfigProblem[] }).problems.filter((p) => p.severity === 'error').map((p) => [p.rule, p.id, p.pointer]),
      [['masked-secret', 'new', '/password']],
    )
  })
})

import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { ApiError, notFound } from '#server/api/problem.ts'
import { tenantOf } from '#server/api/app.ts'
import type { Books } from '#server/dialplan/books.ts'
import { largestSoundBytes, type PromptFiles } from '#server/prompts/prompt-files.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

export interface PromptsApiNeeds {
  books: Books
  prompts: Prompts
  files: PromptFiles
}

const maybe = <S extends Type.TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const Path = Type.Object({ '*': Type.String({ minLength: 1, maxLength: 700 }) })
const PromptView = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  text: maybe(Type.String()),
  file: maybe(Type.String()),
  /** The content of the file that this version plays; null: no file, or none that was here when the version was made. */
  sha256: maybe(Type.String()),
  /** Length of what callers hear; null: they hear nothing, the sound cannot be had. */
  ms: maybe(Type.Number()),
})
const FileView = Type.Object({ path: Type.String(), bytes: Type.Integer() })
const KeptView = Type.Object({ path: Type.String(), bytes: Type.Integer(), ms: Type.Number() })

/** What callers hear, and the sound files that a company brings. A file is put here first; the next version of the configuration may then name it. */
export function promptsApi(app: FastifyInstance, needs: PromptsApiNeeds): void {
  const { books, prompts, files } = needs
  app.addContentTypeParser(
    ['audio/wav', 'audio/x-wav', 'audio/wave'],
    { parseAs: 'buffer', bodyLimit: largestSoundBytes },
    (_request, body, done) => done(null, body),
  )

  app.get(
    '/v1/prompts',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Prompts of the current configuration', response: { 200: Type.Object({ prompts: Type.Array(PromptView) }) } },
    },
    async (request) => {
      const tenant = tenantOf(request)
      const config = books.current(tenant)?.config
      if (config === undefined) return { prompts: [] }
      const all = [...config.prompts.values()]
      const sounds = await prompts.sounds(
        tenant,
        config,
        all.map(({ id }) => id),
      )
      const length = new Map(sounds.map(({ prompt, ms }) => [prompt, ms]))
      return {
        prompts: all.map(({ id, name, text, file, sha256 }) => ({
          id,
          name: name ?? null,
          text: text ?? null,
          file: file ?? null,
          sha256: sha256 ?? null,
          ms: length.get(id) ?? null,
        })),
      }
    },
  )

  app.get(
    '/v1/prompts/:id/sound',
    { config: { role: 'viewer' }, schema: { summary: 'What callers hear of a prompt, as WAV', params: Id } },
    async (request, reply) => {
      const tenant = tenantOf(request)
      const config = books.current(tenant)?.config
      const [sound] = config === undefined ? [] : await prompts.sounds(tenant, config, [(request.params as Static<typeof Id>).id])
      if (sound === undefined) throw notFound('prompt')
      return reply
        .type('audio/wav')
        .header('cache-control', 'private, no-cache')
        .send(await readFile(sound.file))
    },
  )

  app.get(
    '/v1/prompt-files',
    {
      config: { role: 'admin' },
      schema: { summary: 'Sound files the company brought', response: { 200: Type.Object({ files: Type.Array(FileView) }) } },
    },
    async (request) => ({ files: await files.list(tenantOf(request)) }),
  )

  app.get(
    '/v1/prompt-files/*',
    { config: { role: 'admin' }, schema: { summary: 'One sound file', params: Path } },
    async (request, reply) => {
      const sound = await files.read(tenantOf(request), (request.params as Static<typeof Path>)['*'])
      if (sound === null) throw notFound('sound file')
      return reply.type('audio/wav').send(sound)
    },
  )

  app.put(
    '/v1/prompt-files/*',
    {
      config: { role: 'admin' },
      bodyLimit: largestSoundBytes,
      schema: {
        summary:
          'Bring a sound file (WAV), in place of what has the path; versions made from now on play it, those before what they played',
        params: Path,
        response: { 200: KeptView },
      },
    },
    async (request) => {
      const path = (request.params as Static<typeof Path>)['*']
      const sound = request.body
      if (!Buffer.isBuffer(sound)) throw new ApiError('wrong-content-type', 'Send the WAV file as audio/wav.')
      const kept = await files.keep(tenantOf(request), path, sound)
      switch (kept.kind) {
        case 'bad-path':
          throw new ApiError('bad-request', 'A path is like prompts/welcome.wav: letters, digits, _ . and - only, no .. and no leading /.')
        case 'bad-sound':
          throw new ApiError('bad-request', kept.why)
        case 'full':
          throw new ApiError('too-large', `All sound files of a company have at most ${kept.limitBytes} bytes together.`)
        case 'kept': {
          const config = books.current(tenantOf(request))?.config
          if (config !== undefined) {
            prompts.arrived(config, path)
            void prompts.prepare(tenantOf(request), config)
          }
          return { path, bytes: sound.length, ms: kept.ms }
        }
      }
    },
  )
}

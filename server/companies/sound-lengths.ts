import type { ConfigProblem } from '#contract/errors.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Prompt } from '#contract/documents/prompt.ts'
import { ofKind } from '#server/config/of-kind.ts'
import type { Locate } from '#server/config/read.ts'

/** How long the prompts of a set of documents last, in ms by id; those that cannot be heard are left out. `coming`: files that will be there. */
export type SoundLengths = (
  tenant: string,
  documents: readonly ConfigDocument[],
  coming: readonly { file: string; ms: number }[],
) => Promise<ReadonlyMap<string, number>>

/** Measures prompts with what plays them. */
export function soundLengths(lengthOf: (tenant: string, prompt: Prompt, language: string) => Promise<number | null>): SoundLengths {
  return async (tenant, documents, coming) => {
    const language = ofKind(documents, 'company')[0]?.language ?? 'en'
    const announced = new Map(coming.map(({ file, ms }) => [file, ms]))
    const lengths = new Map<string, number>()
    for (const prompt of ofKind(documents, 'prompt')) {
      const ms = (prompt.file === undefined ? undefined : announced.get(prompt.file)) ?? (await lengthOf(tenant, prompt, language))
      if (ms !== null) lengths.set(prompt.id, ms)
    }
    return lengths
  }
}

/** A warning for each prompt that callers would not hear. */
export function unheard(documents: readonly ConfigDocument[], lengths: ReadonlyMap<string, number>, locate: Locate): ConfigProblem[] {
  return ofKind(documents, 'prompt')
    .filter(({ id }) => !lengths.has(id))
    .map((prompt) => {
      const field = prompt.file === undefined ? 'text' : 'file'
      const why = prompt.file === undefined ? 'its text cannot be spoken here' : `${prompt.file} is not among the company's sound files`
      const message = `callers will not hear ${prompt.id}: ${why}`
      return {
        severity: 'warning',
        rule: 'missing-sound',
        message,
        kind: 'prompt',
        id: prompt.id,
        pointer: `/${field}`,
        ...locate(prompt, [field]),
      }
    })
}

// Loaded by `npx centrala mutants` into every process of a test (NODE_OPTIONS): breaks one file as it is read, in the processes meant only.
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

/** @type {{ in: string, file: string, text: string, becomes: string, mark: string } | null} */
const mutant = JSON.parse(process.env['MUTANT'] ?? 'null')

if (mutant !== null && process.argv[1]?.endsWith(mutant.in)) {
  const broken = pathToFileURL(mutant.file).href
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (url !== broken) return loaded
      const source = loaded.source instanceof Uint8Array ? Buffer.from(loaded.source).toString() : loaded.source
      if (typeof source !== 'string') return loaded
      if (!source.includes(mutant.text)) throw new Error(`${mutant.file} does not say: ${mutant.text}`)
      // Says that something is broken at all: a file that nobody reads breaks nothing.
      writeFileSync(mutant.mark, '')
      return { ...loaded, source: source.replace(mutant.text, () => mutant.becomes) }
    },
  })
}

import { configFuzzTarget } from '#server/config/fuzz-target.ts'
import { readDocuments } from '#server/config/read.ts'
import { configurationSeeds } from '#tools/fuzz/seeds.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

/** A file of configuration documents: read, validated and, if sound, compiled. People wait for it, calls do not. */
export const configurationTarget: FuzzTarget = {
  name: 'configuration',
  seeds: () => [
    ...configurationSeeds(),
    Buffer.from('a: &a [x]\nb: *a\n---\n{"kind": "person"}\n'),
    Buffer.from('? |\n  k\n: !!binary aGk=\n'),
  ],
  limitMs: 1000,
  run(bytes) {
    configFuzzTarget(bytes)
    const { problems } = readDocuments([{ name: 'fuzz.yaml', text: Buffer.from(bytes).toString() }])
    return [...new Set(problems.map(({ rule }) => rule))].sort().slice(0, 4).join(' ')
  },
}

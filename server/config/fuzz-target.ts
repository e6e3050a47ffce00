import { compile } from '#server/config/compile.ts'
import { readDocuments } from '#server/config/read.ts'
import { validateCompany } from '#server/config/validate.ts'

const decoder = new TextDecoder('utf-8', { fatal: false })

/** Reads, validates and, if sound, compiles any bytes as a configuration file. Never throws; for the fuzzer. */
export function configFuzzTarget(bytes: Uint8Array): void {
  const { documents, locate } = readDocuments([{ name: 'fuzz.yaml', text: decoder.decode(bytes) }])
  const problems = validateCompany(documents, { locate })
  if (problems.every(({ severity }) => severity !== 'error')) compile(documents)
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const project = join(import.meta.dirname, '../..')

/** The SIP messages of RFC 4475 and RFC 5118. */
export function sipSeeds(): Buffer[] {
  return ['rfc4475', 'rfc5118'].flatMap((set) => filesIn(join(project, 'test/conformance', set)))
}

/** The bodies of those messages: session descriptions, most of them. */
export function bodySeeds(): Buffer[] {
  return sipSeeds().flatMap((bytes) => {
    const end = bytes.indexOf('\r\n\r\n')
    return end < 0 || end + 4 === bytes.length ? [] : [bytes.subarray(end + 4)]
  })
}

/** The demo company's files. */
export function configurationSeeds(): Buffer[] {
  return filesIn(join(project, 'examples/demo'), '.yaml')
}

function filesIn(folder: string, ending = ''): Buffer[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith(ending))
  return files
    .map((entry) => entry.name)
    .sort()
    .map((name) => readFileSync(join(folder, name)))
}

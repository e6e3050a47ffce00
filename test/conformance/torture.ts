import { readdirSync, readFileSync } from 'node:fs'

/** One torture message and what is acceptable in answer to it. */
export interface TortureCase {
  readonly name: string
  readonly bytes: Buffer
  /** Status prefixes; `x`: any answer but 400; `none`: no answer. */
  readonly ok: readonly string[]
  /** Of the TCP column. */
  readonly frames?: number
  readonly after?: 'open' | 'closed' | 'waits'
}

/** The messages of RFC 4475 or RFC 5118 with an oracle file beside them. */
export function tortureCases(set: 'rfc4475' | 'rfc5118', oracle = `${set}-oracle.json`): TortureCase[] {
  const expected = JSON.parse(readFileSync(new URL(oracle, import.meta.url), 'utf8')) as Record<string, Omit<TortureCase, 'name' | 'bytes'>>
  const folder = new URL(`${set}/`, import.meta.url)
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const name = file.replace('.dat', '')
      const entry = expected[name]
      if (entry === undefined) throw new Error(`${file} has no line in ${oracle}`)
      return { ...entry, name, bytes: readFileSync(new URL(file, folder)) }
    })
}

/** Whether an answer's status (null: no answer) is acceptable. */
export function isAcceptable(status: number | null, ok: readonly string[]): boolean {
  if (status === null) return ok.includes('none')
  return ok.includes(String(status)) || (ok.includes('x') && status !== 400)
}

import type { Fact } from '#contract/facts.ts'
import type { OpenCall } from '#server/journal/face.ts'
import type { JournalFiles } from '#server/journal/files.ts'
import { readSegment, type Segment } from '#server/journal/segment.ts'

/** So many files are gone through at most, so that a start does not wait for a database that was away for days. */
const filesRead = 8

/**
 * The facts of open calls, by call and in order, read from the newest file back until every call has its first or no file is left. What the
 * files no longer hold is in the database: a file goes only when the database has what is in it.
 */
export async function factsOfOpen(
  files: Pick<JournalFiles, 'read'>,
  segments: readonly Segment[],
  open: readonly OpenCall[],
): Promise<Map<string, Fact[]>> {
  const found = new Map<string, Fact[]>(open.map(({ call }) => [call, []]))
  const headless = new Set(found.keys())
  for (const segment of segments.slice(-filesRead).reverse()) {
    if (headless.size === 0) break
    const facts = readSegment(await files.read(segment.name))?.facts ?? []
    for (const fact of facts.toReversed()) {
      if (fact.call === undefined || !headless.has(fact.call)) continue
      found.get(fact.call)?.push(fact)
      if (fact.seq === 1) headless.delete(fact.call)
    }
  }
  for (const facts of found.values()) facts.reverse()
  return found
}

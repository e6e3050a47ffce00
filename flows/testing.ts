import type { ConfigDocument } from '#contract/documents/document.ts'
import type { FlowBook } from '#flows/book.ts'

/** A book of these documents, for tests: a company of its own is added unless there is one among them. */
export function bookOf(documents: readonly ConfigDocument[], promptMs: Readonly<Record<string, number>> = {}): FlowBook {
  const company = documents.find((d) => d.kind === 'company') ?? {
    kind: 'company',
    id: 'acme',
    name: 'Acme',
    timezone: 'Europe/Moscow',
    country: 'RU',
    language: 'en',
    sipDomains: ['acme.example'],
  }
  const all = <K extends ConfigDocument['kind']>(kind: K) =>
    documents.filter((d): d is Extract<ConfigDocument, { kind: K }> => d.kind === kind)
  const byId = <T extends { id: string }>(things: readonly T[]) => new Map(things.map((thing) => [thing.id, thing]))
  return {
    company,
    flows: byId(all('flow')),
    hours: byId(all('hours')),
    prompts: byId(all('prompt')),
    callerLists: byId(all('caller-list')),
    ringGroups: byId(all('ring-group')),
    extensions: new Map(all('extension').map((e) => [e.number, e])),
    extensionsById: byId(all('extension')),
    promptMs: new Map(Object.entries(promptMs)),
  }
}

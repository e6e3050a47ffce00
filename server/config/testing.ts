import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { readDocuments, type DocumentFile, type ReadDocuments } from '#server/config/read.ts'

/** The files of the demo company. */
export function demoFiles(): DocumentFile[] {
  const folder = join(import.meta.dirname, '../../examples/demo')
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
  return names.sort().map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
}

/** Documents of a text that must be sound one by one. */
export function documentsOf(text: string): ReadDocuments {
  const read = readDocuments([{ name: 'test.yaml', text }])
  assert.deepEqual(read.problems, [])
  return read
}

/** A small sound company: two people, a group, a number that leads to a flow. */
export const smallCompany = `
kind: company
id: acme
name: Acme
timezone: Europe/Riga
country: LV
language: en
sipDomains: [acme.example, ACME.test]
operator: { extension: '100' }
mainNumber: main
---
{ kind: person, id: anna, name: Anna }
---
{ kind: person, id: oleg, name: Oleg, callerId: +37160000102 }
---
{ kind: device, id: anna-desk, person: anna, username: anna1 }
---
{ kind: device, id: anna-laptop, person: anna, username: anna2, caps: { concurrentCalls: 1 } }
---
{ kind: device, id: oleg-desk, person: oleg, username: oleg1 }
---
{ kind: extension, id: '100', number: 100, target: { person: anna } }
---
{ kind: extension, id: '102', number: 102, target: { person: oleg } }
---
{ kind: extension, id: '200', number: 200, target: { ringGroup: sales } }
---
{ kind: number, id: main, number: +37160000100, target: { flow: main } }
---
{ kind: number, id: direct, number: +37160000102, target: { extension: '102' } }
---
kind: ring-group
id: sales
strategy: steps
seconds: 10
callerNamePrefix: 'Sales: '
members:
  - { extension: '102', step: 2, seconds: 30 }
  - { person: anna }
  - { external: +37129999999, confirm: '1', step: 2 }
noAnswer: { flow: main }
---
{ kind: prompt, id: hello, text: Welcome to Acme }
---
{ kind: hours, id: office, weekly: [{ days: [mon], from: 09:00, to: 18:00 }] }
---
kind: flow
id: main
start: hours
nodes:
  hours: { type: hours, hours: office, open: hello, closed: bye }
  hello: { type: play, prompts: [hello], next: ring }
  ring: { type: ring, steps: [{ targets: [{ extension: '100' }] }], noAnswer: bye }
  bye: { type: hangup }
---
{ kind: trunk, id: one, host: sip.carrier.example, outboundProxy: { host: proxy.example } }
---
{ kind: outbound, id: out, routes: [{ trunks: [one] }], caps: { device: { concurrentCalls: 2 } } }
`

/** The documents of the small company, changed: each entry replaces or adds a document; null takes one away. */
export function changed(changes: Readonly<Record<string, object | null>>): ConfigDocument[] {
  const documents = new Map<string, unknown>(documentsOf(smallCompany).documents.map((d) => [`${d.kind} ${d.id}`, d]))
  for (const [key, change] of Object.entries(changes)) {
    const [kind, id] = key.split(' ')
    if (change === null) documents.delete(key)
    else documents.set(key, { kind, id, ...(documents.get(key) as object | undefined), ...change })
  }
  return [...documents.values()] as ConfigDocument[]
}

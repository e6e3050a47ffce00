import type { ConfigDocument } from '#contract/documents/document.ts'
import { wrong, type Complaint } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** What is dialled or signed in with is unique, and only numbers of the company are shown outside. */
export function numberChecks(documents: readonly ConfigDocument[]): Complaint[] {
  return [...uniqueness(documents), ...callerIds(documents), ...emergency(documents)]
}

function uniqueness(documents: readonly ConfigDocument[]): Complaint[] {
  return [
    ...twice(ofKind(documents, 'extension'), 'number', (e) => e.number),
    ...twice(ofKind(documents, 'number'), 'number', (n) => n.number),
    ...twice(ofKind(documents, 'device'), 'username', (d) => d.username),
  ]
}

function twice<D extends ConfigDocument>(documents: readonly D[], field: string, valueOf: (document: D) => string): Complaint[] {
  const owners = new Map<string, string>()
  return documents.flatMap((document) => {
    const value = valueOf(document)
    const owner = owners.get(value)
    owners.set(value, owner ?? document.id)
    return owner === undefined
      ? []
      : [wrong('not-unique', document, [field], `${value} is the ${field} of ${document.kind} ${owner} already`)]
  })
}

function callerIds(documents: readonly ConfigDocument[]): Complaint[] {
  const owned = new Set(ofKind(documents, 'number').map((n) => n.number))
  const shown: [document: ConfigDocument, path: Complaint['path'], number: string | undefined][] = []
  for (const document of [...ofKind(documents, 'company'), ...ofKind(documents, 'person'), ...ofKind(documents, 'device')]) {
    shown.push([document, ['callerId'], document.callerId])
  }
  for (const device of ofKind(documents, 'device')) {
    for (const [i, number] of (device.mayShow ?? []).entries()) shown.push([device, ['mayShow', i], number])
  }
  for (const trunk of ofKind(documents, 'trunk')) {
    shown.push([trunk, ['callerId', 'default'], trunk.callerId?.default])
    for (const [i, number] of (trunk.callerId?.allowed ?? []).entries()) shown.push([trunk, ['callerId', 'allowed', i], number])
  }
  return shown.flatMap(([document, path, number]) =>
    number === undefined || owned.has(number) ? [] : [wrong('foreign-number', document, path, `${number} is not a number of this company`)],
  )
}

function emergency(documents: readonly ConfigDocument[]): Complaint[] {
  const reserved = new Set(ofKind(documents, 'emergency').flatMap((e) => e.numbers))
  return ofKind(documents, 'extension')
    .filter((extension) => reserved.has(extension.number))
    .map((extension) =>
      wrong('emergency-number', extension, ['number'], `${extension.number} is an emergency number: no extension may have it`),
    )
}

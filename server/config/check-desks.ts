import type { ConfigDocument } from '#contract/documents/document.ts'
import { type Complaint, unwise, wrong } from '#server/config/complaint.ts'
import { isPin } from '#server/config/check-conferences.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** A shared phone belongs to whoever logs in, and people can: with PINs that a telephone can enter, by an extension that leads to them. */
export function deskChecks(documents: readonly ConfigDocument[]): Complaint[] {
  const shared = ofKind(documents, 'device').filter((device) => device.shared === true)
  const people = ofKind(documents, 'person')
  const owned = new Set(ofKind(documents, 'number').map(({ number }) => number))
  const reached = new Set(ofKind(documents, 'extension').flatMap(({ target }) => ('person' in target ? [target.person] : [])))
  return [
    ...shared
      .filter(({ person }) => person !== undefined)
      .map((device) => wrong('shared-phone', device, ['person'], 'a shared phone is nobody’s until somebody logs in: leave person out')),
    ...people.flatMap((person) => {
      if (person.pin === undefined) return []
      if (!isPin(person.pin)) return [wrong('bad-pin', person, ['pin'], 'a PIN is 4 to 16 digits')]
      return reached.has(person.id)
        ? []
        : [unwise('idle-pin', person, ['pin'], 'no extension leads to this person, so that they can log in nowhere')]
    }),
    ...(shared.length > 0 && people.every(({ pin }) => pin === undefined)
      ? shared.map((device) => unwise('no-pins', device, ['shared'], 'nobody has a PIN to log in with at this phone'))
      : []),
    ...ofKind(documents, 'device').flatMap((device) => {
      const number = device.emergencyCallerId
      return number === undefined || owned.has(number)
        ? []
        : [wrong('foreign-number', device, ['emergencyCallerId'], `${number} is not a number of this company`)]
    }),
  ]
}

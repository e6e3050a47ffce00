import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Secret } from '#contract/documents/fields.ts'
import { type Complaint, unwise, wrong } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** What a telephone can enter, and long enough not to be guessed in ten tries. What documents show in place of a secret passes. */
const pins = /^([0-9]{4,16}|\*{8})$/

/** Whether a secret is a PIN, as far as that can be seen. */
export function isPin(value: Secret): boolean {
  return typeof value !== 'string' || pins.test(value)
}

/** PINs can be entered on a telephone and tell members from moderators; a room that anybody can dial has one. */
export function conferenceChecks(documents: readonly ConfigDocument[]): Complaint[] {
  const rooms = ofKind(documents, 'conference')
  const complaints = rooms.flatMap((room) => {
    const { pin, moderatorPin } = room
    const found = (['pin', 'moderatorPin'] as const).flatMap((field) => {
      const value = room[field]
      return value !== undefined && !isPin(value) ? [wrong('bad-pin', room, [field], 'a PIN is 4 to 16 digits')] : []
    })
    const isSame = typeof pin === 'string' && pin === moderatorPin && !pin.startsWith('*')
    return isSame ? [...found, wrong('same-pin', room, ['moderatorPin'], 'moderators need a PIN of their own')] : found
  })
  const open = new Set(rooms.filter(({ pin }) => pin === undefined).map(({ id }) => id))
  const behind = new Map(ofKind(documents, 'extension').map(({ id, target }) => [id, target]))
  const reached = ofKind(documents, 'number').flatMap((number) => {
    const target = 'extension' in number.target ? behind.get(number.target.extension) : number.target
    if (target === undefined || !('conference' in target) || !open.has(target.conference)) return []
    return [
      unwise(
        'open-conference',
        number,
        ['target'],
        `anybody who calls this number is let into conference ${target.conference}: give it a pin`,
      ),
    ]
  })
  return [...complaints, ...reached]
}

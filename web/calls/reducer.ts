import type { CallView, Snapshot } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import { advance, begin } from '#web/calls/advance.ts'
import { afterFact } from '#web/conferences/members.ts'

/** Everything that is live on the page: the snapshot of the event stream, kept true by the facts that follow it. */
export type Board = Omit<Snapshot, 'kind'>
export type Extension = Board['extensions'][number]
export type Trunk = Board['trunks'][number]
export type Conference = Board['conferences'][number]

/** Calls just ended that are kept, as many as a snapshot has. */
export const endedKept = 50

export function boardOf(snapshot: Snapshot): Board {
  const { kind: _, ...board } = snapshot
  return board
}

/** The board after a fact. A snapshot and the facts that follow it give the same board as a later snapshot. */
export function reduce(board: Board, fact: Fact): Board {
  switch (fact.kind) {
    case 'trunk.went-up':
      return { ...board, trunks: withState(board.trunks, fact.trunk, 'up') }
    case 'trunk.went-down':
      return { ...board, trunks: withState(board.trunks, fact.trunk, 'down') }
    case 'device.registered':
      return withContacts(board, fact.device, (contacts) => [...contacts.filter((each) => each !== fact.contact), fact.contact])
    case 'device.unregistered':
      return withContacts(board, fact.device, (contacts) => contacts.filter((each) => each !== fact.contact))
    case 'call.started':
      return fact.call === undefined || find(board, fact.call) !== null
        ? board
        : { ...board, calls: [...board.calls, begin(fact.call, fact)] }
    case 'conference.locked':
      return withConferences(board, (rooms) => rooms.map((room) => (room.id === fact.conference ? { ...room, locked: fact.locked } : room)))
    default:
      return fact.call === undefined ? board : withConferences(inCall(board, fact.call, fact), (rooms) => afterFact(rooms, fact, board))
  }
}

/** Adds calls from the history that the board does not have: the stream knows only those that ended since the server started. */
export function withHistory(board: Board, calls: readonly CallView[]): Board {
  const older = calls.filter((call) => call.endedAt !== null && find(board, call.id) === null)
  const ended = [...board.ended, ...older].toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
  return { ...board, ended: ended.slice(0, endedKept) }
}

/** A call on the board, in progress or just ended. */
export function find(board: Board, id: string): CallView | null {
  return board.calls.find((call) => call.id === id) ?? board.ended.find((call) => call.id === id) ?? null
}

function inCall(board: Board, id: string, fact: Fact): Board {
  const live = board.calls.find((call) => call.id === id)
  if (live === undefined) return { ...board, ended: board.ended.map((call) => (call.id === id ? advance(call, fact) : call)) }
  const call = advance(live, fact)
  if (call.endedAt === null) return withLines({ ...board, calls: board.calls.map((each) => (each === live ? call : each)) })
  const calls = board.calls.filter((each) => each !== live)
  return withLines({ ...board, calls, ended: [call, ...board.ended].slice(0, endedKept) })
}

/** Which extensions are on a call and how many channels of each trunk are taken is a reading of the legs. */
function withLines(board: Board): Board {
  const legs = board.calls.flatMap((call) => call.legs).filter((leg) => leg.endedAt === null)
  const talking = new Set(legs.filter((leg) => leg.endpoint.kind === 'device' && leg.answeredAt !== null).map((leg) => leg.endpoint.id))
  return {
    ...board,
    extensions: board.extensions.map((extension) => ({ ...extension, busy: extension.devices.some((phone) => talking.has(phone.id)) })),
    trunks: board.trunks.map((trunk) => ({
      ...trunk,
      inUse: legs.filter((leg) => leg.endpoint.kind === 'trunk' && leg.endpoint.id === trunk.id).length,
    })),
  }
}

function withConferences(board: Board, change: (rooms: Conference[]) => Conference[]): Board {
  const conferences = change(board.conferences)
  return conferences === board.conferences ? board : { ...board, conferences }
}

function withState(trunks: Trunk[], id: string, state: string): Trunk[] {
  return trunks.map((trunk) => (trunk.id === id ? { ...trunk, state } : trunk))
}

function withContacts(board: Board, device: string, change: (contacts: string[]) => string[]): Board {
  const extensions = board.extensions.map((extension) => {
    if (extension.devices.every((phone) => phone.id !== device)) return extension
    const devices = extension.devices.map((phone) => (phone.id === device ? { ...phone, contacts: change(phone.contacts) } : phone))
    return { ...extension, devices, registered: devices.some((phone) => phone.contacts.length > 0) }
  })
  return { ...board, extensions }
}

import type { EndpointId, MixTerms, RoomId } from '#media/engine.ts'
import type { EngineLink } from '#media/engine/link.ts'
import type { RemoteEndpoint } from '#media/engine/remote-endpoint.ts'
import { towards } from '#media/engine/tunnels.ts'

/** A member, and who stands for it where the room is: itself, or the far end of a tunnel. */
interface Seat {
  readonly room: RoomId
  readonly standIn: RemoteEndpoint
  /** The near end of the tunnel; null where there is none. */
  readonly nearEnd: RemoteEndpoint | null
  terms: MixTerms
}

/**
 * Rooms over several engines: a room lives in the engine of whoever entered it first, and who lives elsewhere comes to it through a tunnel, as
 * calls that come in by themselves may be in any engine.
 */
export class Mixing {
  readonly #homes = new Map<RoomId, { link: EngineLink; members: Set<RemoteEndpoint> }>()
  readonly #seats = new Map<RemoteEndpoint, Seat>()

  /** Whether it is in that room already. */
  isIn(party: RemoteEndpoint, room: RoomId): boolean {
    return this.#seats.get(party)?.room === room
  }

  /** `party` is in no join and no other room. */
  enter(party: RemoteEndpoint, at: { room: RoomId; terms: MixTerms }, open: (link: EngineLink) => RemoteEndpoint | null): void {
    const { room, terms } = at
    const known = this.#seats.get(party)
    if (known !== undefined) {
      known.terms = terms
      this.#tell(known)
      return
    }
    const home = this.#homes.get(room) ?? { link: party.link, members: new Set() }
    this.#homes.set(room, home)
    const seat = home.link === party.link ? { room, standIn: party, nearEnd: null, terms } : tunnelled(party, home.link, at, open)
    if (seat === null) return
    home.members.add(party)
    this.#seats.set(party, seat)
    this.#tell(seat)
    // Terms may name who has come by another id.
    if (seat.nearEnd !== null) for (const member of home.members) this.#retell(member)
  }

  /** False: it is in no room. */
  leave(party: RemoteEndpoint): boolean {
    const seat = this.#seats.get(party)
    if (seat === undefined) return false
    this.#seats.delete(party)
    const home = this.#homes.get(seat.room)
    home?.members.delete(party)
    if (home?.members.size === 0) this.#homes.delete(seat.room)
    party.partHere()
    if (seat.nearEnd !== null) {
      seat.standIn.close()
      seat.nearEnd.close()
    }
    return true
  }

  #retell(member: RemoteEndpoint): void {
    const seat = this.#seats.get(member)
    if (seat !== undefined && (seat.terms.heardBy !== undefined || seat.terms.gains !== undefined)) this.#tell(seat)
  }

  #tell({ room, standIn, terms }: Seat): void {
    const home = this.#homes.get(room)
    const names = new Map([...(home?.members ?? [])].map((member) => [member.id, this.#seats.get(member)?.standIn.id ?? member.id]))
    standIn.mixHere(room, renamed(terms, names))
  }
}

function tunnelled(
  party: RemoteEndpoint,
  home: EngineLink,
  { room, terms }: { room: RoomId; terms: MixTerms },
  open: (link: EngineLink) => RemoteEndpoint | null,
): Seat | null {
  const [nearEnd, standIn] = [open(party.link), open(home)]
  if (nearEnd === null || standIn === null) {
    nearEnd?.close()
    standIn?.close()
    return null
  }
  nearEnd.aim(towards(standIn, party))
  standIn.aim(towards(nearEnd, party))
  party.joinHere(nearEnd)
  return { room, standIn, nearEnd, terms }
}

function renamed(terms: MixTerms, names: ReadonlyMap<EndpointId, EndpointId>): MixTerms {
  const { heardBy, gains } = terms
  const name = (id: EndpointId): EndpointId => names.get(id) ?? id
  // Names of properties are strings.
  const byText = new Map([...names].map(([id, standIn]) => [String(id), standIn]))
  return {
    ...terms,
    ...(heardBy !== undefined && { heardBy: heardBy.map(name) }),
    ...(gains !== undefined && { gains: Object.fromEntries(Object.entries(gains).map(([id, gain]) => [byText.get(id) ?? id, gain])) }),
  }
}

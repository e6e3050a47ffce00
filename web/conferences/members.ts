import type { Fact } from '#contract/facts.ts'
import type { Board, Conference } from '#web/calls/reducer.ts'

type Member = Conference['members'][number]

/** The conferences after a fact of a call, each of whose calls is one member of one room; the same when it changes none. `board`: as it was before. */
export function afterFact(rooms: Conference[], fact: Fact, board: Pick<Board, 'calls'>): Conference[] {
  switch (fact.kind) {
    case 'conference.joined': {
      const member = memberOf(fact, board)
      return inRoom(rooms, fact.conference, (members) => [...members.filter(({ call }) => call !== member.call), member])
    }
    case 'conference.muted':
      return inRoom(rooms, fact.conference, (members) =>
        members.map((member) => (member.call === fact.call ? { ...member, leg: fact.leg, muted: fact.muted } : member)),
      )
    case 'conference.left':
      return inRoom(rooms, fact.conference, (members) => members.filter(({ call }) => call !== fact.call))
    default:
      return rooms
  }
}

function inRoom(rooms: Conference[], id: string, change: (members: Member[]) => Member[]): Conference[] {
  return rooms.map((room) => (room.id === id ? { ...room, members: change(room.members) } : room))
}

function memberOf(fact: Extract<Fact, { kind: 'conference.joined' }>, board: Pick<Board, 'calls'>): Member {
  const { leg, call = '', moderator, muted = false } = fact
  const endpoint = board.calls.find(({ id }) => id === call)?.legs.find((each) => each.leg === leg)?.endpoint
  const name = endpoint?.name
  return { leg, call, number: endpoint?.number ?? '', ...(name !== undefined && { name }), moderator, muted }
}

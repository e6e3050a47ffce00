import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Conference } from '#calls/conference.ts'
import type { ConferenceMember } from '#calls/conference-member.ts'
import { StartedCall } from '#contract/api/calls.ts'
import { ConferenceChange, ConferenceView, Invitation, MemberChange } from '#contract/api/rooms.ts'
import { tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import type { CompiledConference } from '#server/config/compiled.ts'
import { invite } from '#server/conferences/invite.ts'
import type { Book } from '#server/dialplan/books.ts'
import type { Exchange } from '#server/exchange/exchange.ts'

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const Member = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }), leg: Type.String({ minLength: 1, maxLength: 64 }) })

/** Conferences: who is there, inviting, muting, letting go, locking, ending. */
export function conferencesApi(app: FastifyInstance, { exchange }: { exchange: Exchange }): void {
  const { conferences } = exchange
  const viewOf = (request: FastifyRequest, conference: CompiledConference): ConferenceView =>
    presentConference(conference, conferences.find(tenantOf(request), conference.id))
  const roomOf = (request: FastifyRequest): Conference => {
    const { id } = request.params as Static<typeof Id>
    conferenceOf(bookOf(exchange, request), id)
    const room = conferences.find(tenantOf(request), id)
    if (room === null) throw new ApiError('not-now', 'Nobody is in this conference now.')
    return room
  }
  const memberOf = (request: FastifyRequest): ConferenceMember => {
    const { leg } = request.params as Static<typeof Member>
    const member = [...roomOf(request).members].find((each) => each.leg.id === leg)
    if (member === undefined) throw notFound('member')
    return member
  }

  app.get(
    '/v1/conferences',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'The conferences of the company, and who is in them',
        response: { 200: Type.Object({ conferences: Type.Array(ConferenceView) }) },
      },
    },
    (request) =>
      Promise.resolve({ conferences: [...bookOf(exchange, request).config.conferences.values()].map((each) => viewOf(request, each)) }),
  )

  app.get(
    '/v1/conferences/:id',
    { config: { role: 'viewer' }, schema: { summary: 'One conference', params: Id, response: { 200: ConferenceView } } },
    (request) => Promise.resolve(viewOf(request, conferenceOf(bookOf(exchange, request), (request.params as Static<typeof Id>).id))),
  )

  app.patch(
    '/v1/conferences/:id',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Lock a conference, or let people in again', params: Id, body: ConferenceChange },
    },
    (request, reply) => {
      roomOf(request).lock((request.body as ConferenceChange).locked)
      return reply.code(204).send()
    },
  )

  app.delete(
    '/v1/conferences/:id',
    { config: { role: 'supervisor' }, schema: { summary: 'End a conference that is held: everybody is let go', params: Id } },
    (request, reply) => {
      roomOf(request).end()
      return reply.code(204).send()
    },
  )

  app.post(
    '/v1/conferences/:id/members',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Call somebody into a conference', params: Id, body: Invitation, response: { 201: StartedCall } },
    },
    (request, reply) => {
      if (exchange.live.size >= exchange.callLimit) throw new ApiError('unavailable', 'All lines are in use.')
      const book = bookOf(exchange, request)
      const { id } = conferenceOf(book, (request.params as Static<typeof Id>).id)
      const call = invite(exchange, book, { conference: id, to: (request.body as Invitation).to })
      if ('refused' in call) throw new ApiError('bad-request', call.refused)
      return reply.code(201).header('location', `/v1/calls/${call.id}`).send({ id: call.id })
    },
  )

  app.patch(
    '/v1/conferences/:id/members/:leg',
    { config: { role: 'supervisor' }, schema: { summary: 'Mute a member, or let it speak', params: Member, body: MemberChange } },
    (request, reply) => {
      memberOf(request).mute((request.body as MemberChange).muted)
      return reply.code(204).send()
    },
  )

  app.delete(
    '/v1/conferences/:id/members/:leg',
    { config: { role: 'supervisor' }, schema: { summary: 'Let a member go', params: Member } },
    (request, reply) => {
      memberOf(request).letGo({ kind: 'completed', by: 'us', detail: 'was let go from the conference' })
      return reply.code(204).send()
    },
  )
}

function bookOf(exchange: Exchange, request: FastifyRequest): Book {
  const book = exchange.books.current(tenantOf(request))
  if (book === null) throw notFound('company')
  return book
}

function conferenceOf(book: Book, id: string): CompiledConference {
  const conference = book.config.conferences.get(id)
  if (conference === undefined) throw notFound('conference')
  return conference
}

/** A conference as the API and the page show it. */
export function presentConference({ id, name, number }: CompiledConference, room: Conference | null): ConferenceView {
  const members = [...(room?.members ?? [])].map(({ leg, isModerator, isMuted }) => {
    const { number: own, name: called } = leg.endpoint
    return {
      leg: leg.id,
      call: leg.call.id,
      number: own,
      ...(called !== undefined && { name: called }),
      moderator: isModerator,
      muted: isMuted,
    }
  })
  return { id, name, number, locked: room?.isLocked ?? false, members }
}

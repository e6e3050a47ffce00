import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '#calls/call.ts'
import { Conference, type ConferenceTerms } from '#calls/conference.ts'
import type { ConferenceMember, ConferenceStory } from '#calls/conference-member.ts'
import { dial } from '#calls/outbound-leg.ts'
import { type FakeEndpoint, audio, phone, Town } from '#calls/testing.ts'

const plain: ConferenceTerms = { tenant: 'acme', id: 'weekly', maxMembers: 3, mutedOnEntry: false, tones: false, records: false, music: [] }

class Meeting {
  readonly town = new Town()
  readonly conference: Conference
  emptied = 0
  constructor(terms: Partial<ConferenceTerms> = {}) {
    this.conference = new Conference(this.town.needs, { ...plain, ...terms }, { isLocked: false }, () => void this.emptied++)
  }
  /** Calls `id`, who answers and comes in. */
  join(id: string, manner: { isModerator?: boolean } = {}): { member: ConferenceMember; call: Call; endpoint: FakeEndpoint } {
    const call = new Call(this.town.needs, { ...this.town.call().identity, call: `call-${id}` })
    const attempt = dial(call, phone(id), { ringMs: 30_000, onMiss: () => undefined })
    assert.ok('leg' in attempt)
    this.town.invited(id).answer()
    const endpoint = attempt.leg.media.endpoint as FakeEndpoint
    return { member: this.conference.enter(attempt.leg, { isModerator: manner.isModerator ?? false }), call, endpoint }
  }
}

test('members of different calls are in one room; who leaves ends its own call alone; with the last the room is over', () => {
  const meeting = new Meeting()
  const [a, b] = [meeting.join('100'), meeting.join('101')]
  assert.equal(a.endpoint.mixed?.room, b.endpoint.mixed?.room)
  meeting.town.invited('100').dialog?.peerHangsUp()
  assert.equal(a.call.outcome?.kind, 'answered')
  assert.equal(b.call.outcome, null)
  assert.equal(meeting.emptied, 0)
  b.member.letGo({ kind: 'completed', by: 'us' })
  assert.equal(meeting.emptied, 1)
  assert.deepEqual(
    meeting.town.facts.filter(({ kind }) => kind.startsWith('conference.')).map(({ kind, call }) => [kind, call]),
    [
      ['conference.joined', 'call-100'],
      ['conference.joined', 'call-101'],
      ['conference.left', 'call-100'],
      ['conference.left', 'call-101'],
    ],
  )
})

test('somebody alone hears music, and no longer when another comes', () => {
  const meeting = new Meeting({ music: [{ kind: 'silence', ms: 1_000 }] })
  const a = meeting.join('100')
  assert.equal(a.endpoint.playing.size, 1)
  const b = meeting.join('101')
  assert.deepEqual([a.endpoint.playing.size, b.endpoint.playing.size], [0, 0])
  meeting.town.invited('100').dialog?.peerHangsUp()
  assert.equal(b.endpoint.playing.size, 1)
})

test('a full room lets nobody in, a locked one moderators only; the lock is kept and goes with the last member', () => {
  const meeting = new Meeting()
  const { conference, town } = meeting
  meeting.join('100')
  conference.lock(true)
  assert.deepEqual([conference.against(false), conference.against(true)], ['locked', null])
  assert.deepEqual(town.kept.get('conference/acme/weekly'), { isLocked: true })
  meeting.join('101')
  meeting.join('102')
  assert.equal(conference.against(true), 'full')
  conference.end()
  assert.equal(conference.isLocked, false)
  assert.equal(town.kept.has('conference/acme/weekly'), false)
  assert.deepEqual(
    town.factsOf('conference.locked').map(({ locked }) => locked),
    [true, false],
  )
})

test('members are muted on entry where the room says so, by whoever runs it, by their own keys, and while they hold', () => {
  const meeting = new Meeting({ mutedOnEntry: true })
  const [a, host] = [meeting.join('100'), meeting.join('101', { isModerator: true })]
  assert.deepEqual(a.endpoint.mixed?.terms, { speaks: 0 })
  assert.deepEqual(host.endpoint.mixed?.terms, {})
  for (const key of ['*', '6']) a.member.leg.digit(key, 'rtp')
  assert.deepEqual(a.endpoint.mixed?.terms, {})
  host.member.mute(true)
  assert.deepEqual(host.endpoint.mixed?.terms, { speaks: 0 })
  assert.equal((host.call.story as ConferenceStory).isMuted, true)
  meeting.town.invited('100').dialog?.peerOffers(audio('sendonly', 41_000))
  assert.deepEqual(a.endpoint.mixed?.terms, { speaks: 0 })
  meeting.town.invited('100').dialog?.peerOffers(audio('sendrecv', 41_000))
  assert.deepEqual(a.endpoint.mixed?.terms, {})
})

test('moderators lock the room and end it by keys; others do not', () => {
  const meeting = new Meeting()
  const [a, host] = [meeting.join('100'), meeting.join('101', { isModerator: true })]
  const press = ({ member }: typeof a, keys: string) => [...keys].forEach((key) => member.leg.digit(key, 'rtp'))
  press(a, '*5*9')
  assert.deepEqual([meeting.conference.isLocked, meeting.conference.members.size], [false, 2])
  press(host, '*5')
  assert.equal(meeting.conference.isLocked, true)
  press(host, '*9')
  assert.equal(meeting.conference.members.size, 0)
  assert.equal(meeting.town.invited('100').dialog?.ended !== undefined, true)
})

test('a tone tells those who are there that somebody came or went, over an endpoint that goes with the room', () => {
  const meeting = new Meeting({ tones: true })
  meeting.join('100')
  assert.equal(meeting.town.endpoints.length, 1)
  meeting.join('101')
  const voice = meeting.town.endpoints.at(-1)
  assert.equal(voice?.mixed?.room, meeting.conference.room)
  assert.equal(voice?.playing.size, 1)
  meeting.conference.end()
  assert.equal(voice?.closed, true)
})

test('the recording is made at one member, and goes on at another when that one leaves', () => {
  const meeting = new Meeting({ records: true })
  const [a, b] = [meeting.join('100'), meeting.join('101')]
  assert.deepEqual([a.endpoint.recordings.length, b.endpoint.recordings.length], [1, 0])
  meeting.town.invited('100').dialog?.peerHangsUp()
  assert.equal(b.endpoint.recordings.length, 1)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Codec, Endpoint, StreamParams } from '#media/engine.ts'
import { openRig, type Phone, type Rig, streamTo } from '#media/engine/test-rig.ts'

/** Over 23 minutes: half the sequence numbers pass after 655 s, and all after 1,311. */
const packets = 70_000
/** Looked at so often, so that what was heard does not pile up. */
const stretch = 500

interface Party {
  phone: Phone
  endpoint: Endpoint
  payloadType: number
}

function party(rig: Rig, address: string, over: Partial<StreamParams> = {}): Party {
  const phone = rig.phone(address)
  const { endpoint } = rig.open()
  const stream = streamTo(phone.address, over)
  endpoint.aim(stream)
  return { phone, endpoint, payloadType: stream.payloadType }
}

/** Everybody talks on for 23 minutes; each hears a packet each 20 ms, one number after the other, whatever the senders' numbers are. */
function talkOn(rig: Rig, parties: readonly Party[], hears: readonly Party[] = parties): void {
  const last = new Map<Party, number>()
  for (let sent = 0; sent < packets; ) {
    for (let n = 0; n < stretch; n++, sent++) {
      for (const [i, { phone, endpoint, payloadType }] of parties.entries())
        phone.say(endpoint, { sequence: 40_000 * i + sent, timestamp: sent * 160, payloadType, payload: audio })
      rig.clock.advance(20)
    }
    for (const each of hears) {
      const heard = each.phone.take()
      // The first stretch has the beginning in it, in which a buffer fills.
      const missing = stretch - heard.length
      assert.ok(missing <= (sent === stretch ? 10 : 0), `${missing} are missing before packet ${sent}`)
      for (const { sequence } of heard) {
        const before = last.get(each) ?? (sequence - 1) & 0xffff
        if (((sequence - before) & 0xffff) !== 1) assert.fail(`${sequence} comes behind ${before}, at packet ${sent}`)
        last.set(each, sequence)
      }
    }
  }
}

const audio = Buffer.alloc(160, 0x5a)
const g722: Partial<StreamParams> = { codec: 'G722', payloadType: 9 }
const pairs: Record<string, readonly [Partial<StreamParams>, Partial<StreamParams>]> = {
  'one codec on both sides': [{}, {}],
  'the two laws of G.711': [{}, { codec: 'PCMU' satisfies Codec, payloadType: 0 }],
  'two codecs': [{}, g722],
}

for (const [what, [one, other]] of Object.entries(pairs))
  test(`a call of twenty minutes and more is heard all the while: ${what}`, async () => {
    await using rig = await openRig()
    const both = [party(rig, '198.51.100.1', one), party(rig, '198.51.100.2', other)] as const
    both[0].endpoint.join(both[1].endpoint)
    await new Promise((resolve) => setImmediate(resolve))
    talkOn(rig, both)
  })

test('three who meet for twenty minutes and more hear each other all the while', async () => {
  await using rig = await openRig()
  const members = ['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((address) => party(rig, address))
  for (const { endpoint } of members) endpoint.mix('room')
  talkOn(rig, members)
})

test('a prompt that goes on for twenty minutes and more is heard all the while', async () => {
  await using rig = await openRig()
  const one = party(rig, '198.51.100.1')
  one.endpoint.play([{ kind: 'tone', tone: 'dial' }])
  talkOn(rig, [], [one])
})

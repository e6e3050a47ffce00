import assert from 'node:assert/strict'
import { addressOf, attributesOf, BINDING, bindingRequest, isStun, stunAnswer } from '#sip/transport/stun.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const id = 'b7e7a701bc34d686fa87dfae'
const source = { address: '192.0.2.1', port: 32_853 }

/** STUN as it comes to the SIP port: requests are answered, answers are read, the rest is passed over. */
export const stunTarget: FuzzTarget = {
  name: 'stun',
  seeds: () => {
    const request = bindingRequest(id)
    const answers = [source, { address: '2001:db8::7', port: 1 }].flatMap((from) => stunAnswer(request, from) ?? [])
    const strange = Buffer.concat([request, Buffer.from('0003000400000006802200036162630a', 'hex')])
    strange.writeUInt16BE(16, 2)
    return [request, ...answers, strange]
  },
  run(bytes) {
    if (!isStun(bytes)) return 'no STUN'
    const answer = stunAnswer(bytes, source)
    if (answer !== null) assert.ok(answer.length <= 48 + 2 * bytes.length, 'an answer that amplifies')
    const message = Buffer.from(bytes)
    const attributes = attributesOf(message)
    const seen = attributes?.map((each) => addressOf(message, each)?.host.includes(':') ?? null) ?? null
    return `${answer?.readUInt16BE(0) === BINDING.success ? 'answered' : answer === null ? 'silent' : 'refused'} ${JSON.stringify(seen?.slice(0, 3))}`
  },
}

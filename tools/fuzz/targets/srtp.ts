import assert from 'node:assert/strict'
import { SrtpReceiver } from '#media/srtp/receiver.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import { type SrtpKey, type SrtpSuite, SUITES } from '#media/srtp/suites.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

function keyOf(suite: SrtpSuite): SrtpKey {
  const { keyBytes, saltBytes } = SUITES[suite]
  return { suite, key: Buffer.alloc(keyBytes + saltBytes, 7).toString('base64') }
}

const keys = (Object.keys(SUITES) as SrtpSuite[]).map(keyOf)

const rtp = Buffer.from([0x80, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7, ...Array.from({ length: 80 }, () => 0x55)])
const extended = Buffer.from([0x91, 8, 0, 2, 0, 0, 1, 64, 0, 0, 0, 7, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8])
const rtcp = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 202, 0, 2, 0, 0, 0, 7, 1, 1, 0x61, 0])

/** Protected packets of every suite, changed, against receivers that know the key: nothing but what was protected may ever be authentic. */
export const srtpTarget: FuzzTarget = {
  name: 'srtp',
  seeds: () =>
    keys.flatMap((key) => {
      const sender = SrtpSender.open(key)
      const made = [sender?.protect(rtp, 0, rtp.length), sender?.protect(extended, 0, extended.length), sender?.protectRtcp(rtcp)]
      return made.flatMap((packet) => (packet === null || packet === undefined ? [] : [Buffer.from(packet)]))
    }),
  run(bytes) {
    const seen: string[] = []
    for (const key of keys) {
      const packet = Buffer.from(bytes)
      const receiver = SrtpReceiver.open({ ...key, ...(bytes.length % 2 === 1 && { mkiBytes: 1 }) })
      assert.ok(receiver)
      const end = receiver.unprotect(packet)
      if (end >= 0) assert.ok(packet.subarray(0, end).equals(rtp) || packet.subarray(0, end).equals(extended), 'a forgery was taken')
      seen.push(end >= 0 ? 'rtp' : receiver.fault)
      const report = Buffer.from(bytes)
      const reportEnd = receiver.unprotectRtcp(report)
      if (reportEnd >= 0) assert.ok(report.subarray(0, reportEnd).equals(rtcp), 'a forged report was taken')
      seen.push(reportEnd >= 0 ? 'rtcp' : receiver.fault)
    }
    return [...new Set(seen)].join(' ')
  },
}

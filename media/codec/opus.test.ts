import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { loadLibopus } from 'libopus-wasm'
import { OpusDecoder, OpusEncoder } from '#media/codec/opus.ts'
import { opusPacketMs } from '#media/codec/opus-packet.ts'
import { voiceLike } from '#media/jitter/test-stream.ts'

const FRAME = 320
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

// Loaded once for the process; after that a codec is there within a turn.
before(async () => {
  await loadLibopus()
})

/** A voice in packets of 20 ms. */
async function packetsOf(pcm: Int16Array, lossPercent: number, fec = true): Promise<Buffer[]> {
  const encoder = new OpusEncoder(16_000, { fec })
  encoder.expectLoss(lossPercent)
  await turn()
  return Array.from({ length: Math.floor(pcm.length / FRAME) }, (_, n) => {
    const payload = Buffer.alloc(1275)
    return payload.subarray(0, encoder.encode(pcm.subarray(n * FRAME, (n + 1) * FRAME), payload, 0))
  })
}

/** Decodes with every tenth packet lost; how near what stands for the lost ones is to what they held, in dB. */
async function lossDb(packets: readonly Buffer[], fec: boolean): Promise<number> {
  const [clean, lossy] = [new OpusDecoder(16_000), new OpusDecoder(16_000)]
  await turn()
  let signal = 0
  let error = 0
  for (const [n, packet] of packets.entries()) {
    const [wanted, found] = [new Int16Array(FRAME), new Int16Array(FRAME)]
    clean.decode(packet, wanted)
    if (n % 10 !== 9) {
      lossy.decode(packet, found)
      continue
    }
    if (fec) assert.equal(lossy.recover(packets[n + 1] ?? packet, found), true)
    else lossy.conceal(found)
    for (let i = 0; i < FRAME; i++) {
      signal += (wanted[i] as number) ** 2
      error += ((wanted[i] as number) - (found[i] as number)) ** 2
    }
  }
  return 10 * Math.log10(signal / error)
}

test('what the next packet carries of a lost one is nearer to it than what is made up', async () => {
  const packets = await packetsOf(voiceLike(6000, 16_000), 20)
  const [withFec, without] = [await lossDb(packets, true), await lossDb(packets, false)]
  assert.ok(withFec > without + 2, `${withFec.toFixed(1)} dB with, ${without.toFixed(1)} dB without`)
})

test('redundancy is spent only on a peer that makes use of it and reports losses', async () => {
  const pcm = voiceLike(3000, 16_000)
  const sizeOf = async (loss: number, fec: boolean): Promise<string> =>
    (await packetsOf(pcm, loss, fec)).map(({ length }) => length).join(' ')
  const plain = await sizeOf(0, true)
  assert.equal(await sizeOf(20, false), plain)
  assert.notEqual(await sizeOf(20, true), plain)
})

test('a packet says how long it is; what is none says 0', async () => {
  const [packet] = await packetsOf(voiceLike(20, 16_000), 0)
  assert.equal(opusPacketMs(packet ?? Buffer.alloc(0)), 20)
  // RFC 6716 table 2: configurations 3, 15 and 16; three frames of 60 ms are too long.
  assert.deepEqual(
    [[0x18], [0x78], [0x80], [0x1b, 2], [0x1b, 3], []].map((octets) => opusPacketMs(Uint8Array.from(octets))),
    [60, 20, 2.5, 120, 0, 0],
  )
})

test('octets that are no Opus are one packet less, never a fault', async () => {
  const decoder = new OpusDecoder(8000)
  await turn()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
      const pcm = new Int16Array(960)
      const count = decoder.decode(payload, pcm)
      assert.ok(count >= 0 && count <= 960)
      decoder.recover(payload, pcm.subarray(0, 160))
    }),
    { numRuns: 200 },
  )
})

test('a narrowband voice is encoded as one, and a wideband one that follows as that', async () => {
  const encoder = new OpusEncoder(16_000, { fec: false })
  encoder.expectSource(8000)
  await turn()
  const pcm = voiceLike(2000, 16_000)
  const payload = Buffer.alloc(1275)
  // The last packets of a second, when it has settled. RFC 6716 §3.1: of SILK alone configurations 0 to 3 are narrowband.
  const areNarrow = (): boolean[] =>
    Array.from({ length: 50 }, (_, n) => {
      encoder.encode(pcm.subarray(n * FRAME, (n + 1) * FRAME), payload, 0)
      return (payload[0] as number) >> 3 < 4
    }).slice(25)
  assert.ok(areNarrow().every(Boolean))
  encoder.expectSource(16_000)
  assert.ok(!areNarrow().some(Boolean))
  encoder.free()
})

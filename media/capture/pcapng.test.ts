import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { tcpPacket, udpPacket } from '#media/capture/ip-packet.ts'
import { packetBlock, pcapngHeader, readPcapng } from '#media/capture/pcapng.ts'

const run = promisify(execFile)
const at = Date.UTC(2026, 10, 21, 17, 5, 9, 123)
const four = { from: { address: '192.0.2.1', port: 5060 }, to: { address: '198.51.100.7', port: 40_000 } }
const six = { from: { address: '2001:db8::1', port: 5060 }, to: { address: '::ffff:198.51.100.7', port: 40_000 } }

test('a capture is read back as it was written, cut packets with their length on the wire', () => {
  const whole = udpPacket(four, Buffer.from('hello'))
  const file = Buffer.concat([
    pcapngHeader(),
    packetBlock({ at: at + 0.25, bytes: whole, wireBytes: whole.length, comment: 'leg 1' }),
    packetBlock({ at, bytes: whole.subarray(0, 30), wireBytes: whole.length }),
  ])
  const [first, second, ...more] = readPcapng(file)
  assert.deepEqual([first?.at, Buffer.from(first?.bytes ?? []), first?.wireBytes], [at + 0.25, whole, 33])
  assert.deepEqual([second?.bytes.length, second?.wireBytes, more.length], [30, 33, 0])
})

test('a capture that ends in the middle of a packet gives the packets before it', () => {
  const whole = udpPacket(four, Buffer.from('hello'))
  const block = packetBlock({ at, bytes: whole, wireBytes: whole.length })
  const file = Buffer.concat([pcapngHeader(), block, block])
  for (let cut = 1; cut < block.length; cut++) assert.equal(readPcapng(file.subarray(0, file.length - cut)).length, 1)
})

test('any bytes are read without a fault', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readPcapng(Buffer.from(bytes))))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readPcapng(Buffer.concat([pcapngHeader(), bytes]))))
})

test('tcpdump reads addresses, ports, instants and right checksums', async (t) => {
  const packets = [
    udpPacket(four, Buffer.from('odd')),
    tcpPacket(four, Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n'), { sequence: 1, acknowledged: 1 }),
    udpPacket(six, Buffer.from('over six')),
  ]
  const folder = await mkdtemp(join(tmpdir(), 'centrala-pcap-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'a.pcapng')
  await writeFile(file, Buffer.concat([pcapngHeader(), ...packets.map((bytes) => packetBlock({ at, bytes, wireBytes: bytes.length }))]))
  const read = await run('tcpdump', ['-nn', '-vv', '-tttt', '-r', file], { env: { ...process.env, TZ: 'UTC' } }).catch((fault: unknown) => {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return null
    throw fault
  })
  if (read === null) return t.skip('tcpdump is not installed')
  assert.match(read.stdout, /2026-11-21 17:05:09\.123000 IP/)
  assert.match(read.stdout, /192\.0\.2\.1\.5060 > 198\.51\.100\.7\.40000: \[udp sum ok\]/)
  assert.match(read.stdout, /192\.0\.2\.1\.5060 > 198\.51\.100\.7\.40000: Flags \[P\.\], cksum 0x[0-9a-f]+ \(correct\)/)
  assert.match(read.stdout, /2001:db8::1\.5060 > ::ffff:198\.51\.100\.7\.40000: \[udp sum ok\]/)
  assert.doesNotMatch(read.stdout, /bad cksum|incorrect/)
})

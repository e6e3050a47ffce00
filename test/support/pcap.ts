/** An RTP packet to be sent at an instant. */
export interface Replayed {
  atMs: number
  type: number
  timestamp: number
  payload: Uint8Array
}

const rtpBytes = 12
/** Ethernet, IPv4, UDP: whoever replays the file puts addresses, lengths and sums of its own in. */
const aboveBytes = 14 + 20 + 8

/** A stream of RTP as a file of libpcap, in the format that all its versions read, for SIPp's `play_pcap_audio`. */
export function rtpCapture(packets: readonly Replayed[]): Buffer {
  const file = Buffer.alloc(24)
  file.writeUInt32LE(0xa1b2c3d4, 0)
  file.writeUInt16LE(2, 4)
  file.writeUInt16LE(4, 6)
  file.writeUInt32LE(65_535, 16)
  file.writeUInt32LE(1, 20)
  return Buffer.concat([file, ...packets.map(recordOf)])
}

function recordOf({ atMs, type, timestamp, payload }: Replayed, nth: number): Buffer {
  const wireBytes = aboveBytes + rtpBytes + payload.length
  const record = Buffer.alloc(16 + wireBytes)
  record.writeUInt32LE(Math.floor(atMs / 1000), 0)
  record.writeUInt32LE(Math.round((atMs % 1000) * 1000), 4)
  record.writeUInt32LE(wireBytes, 8)
  record.writeUInt32LE(wireBytes, 12)
  const ethernet = record.subarray(16)
  ethernet.writeUInt16BE(0x0800, 12)
  const ip = ethernet.subarray(14)
  ip[0] = 0x45
  ip.writeUInt16BE(wireBytes - 14, 2)
  ip[8] = 64
  ip[9] = 17
  ip.writeUInt32BE(0x7f00_0001, 12)
  ip.writeUInt32BE(0x7f00_0001, 16)
  const udp = ip.subarray(20)
  udp.writeUInt16BE(6_000, 0)
  udp.writeUInt16BE(6_000, 2)
  udp.writeUInt16BE(8 + rtpBytes + payload.length, 4)
  const rtp = udp.subarray(8)
  rtp[0] = 0x80
  rtp[1] = type
  rtp.writeUInt16BE(nth, 2)
  rtp.writeUInt32BE(timestamp, 4)
  rtp.writeUInt32BE(0x5109_3389, 8)
  rtp.set(payload, rtpBytes)
  return record
}

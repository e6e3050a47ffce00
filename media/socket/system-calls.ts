import { arch } from 'node:process'
import { getSystemErrorName } from 'node:util'
import type { SocketAddress } from '#media/engine.ts'
import { type NativeCalls, openNativeCalls } from '#media/socket/native-calls.ts'
import { AF_INET, AF_INET6, ipv4Text, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from '#media/socket/sockaddr.ts'

/**
 * Linux's system calls for datagrams, through `node:ffi`, and libuv's watch on a descriptor: beside `message-slots.ts` and those who use it,
 * `departures.ts` and `intake.ts`, the only file that hands addresses of memory to C. Every pointer that it passes leads into one block of
 * memory that is never freed or moved, and every length is bounded here, so that no caller can make C read or write anywhere else. Structures as
 * on 64-bit Linux, x86-64 and arm64, glibc and musl:
 *
 *     msghdr (recvmsg(2))        name 8, its length 4 (4 unused), iovec 8, count 8, control 8, its length 8, flags 4 (4 unused)
 *     iovec                      address 8, length 8
 *     epoll_event (epoll_ctl(2)) events 4, data 8: packed on x86-64 alone; elsewhere 4 unused between the two
 *
 * Calls of at most three arguments, of pointers as bigints that are made once, and of 32-bit numbers are the ones that V8 makes directly
 * from compiled code; all that a packet needs are such. Functions and pointers are constants of this module for the same reason.
 */
const [SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC] = [2, 0o4000, 0o2000000]
const [SOL_SOCKET, SO_SNDBUF, SO_RCVBUF, IPPROTO_IPV6, IPV6_V6ONLY] = [1, 7, 8, 41, 26]
const [EPOLLIN, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CLOEXEC] = [1, 1, 2, 0o2000000]
const UV_READABLE = 1
/** A socket told to be connected to this family is connected no longer (connect(2)). */
const AF_UNSPEC = 0

/** Longest datagram over IPv4: 65,535 less the headers. */
export const LONGEST_DATAGRAM = 65_507

/** Sockets that one look at what has arrived can name. */
export const EVENTS_AT_ONCE = 64
const [EVENT_BYTES, EVENT_DATA] = arch === 'x64' ? [12, 4] : [16, 8]

/** The block of memory, in bytes from its beginning. */
const AT = {
  events: 0,
  event: 1024,
  option: 1040,
  nameLength: 1056,
  name: 1072,
  header: 1152,
  vector: 1216,
  source: 1232,
  outHeader: 1280,
  outVector: 1344,
  target: 1360,
  watch: 2048,
  received: 4096,
  sent: 69_632,
  end: 135_168,
} as const
const WATCH_BYTES = AT.received - AT.watch
const ROOM_BYTES = AT.sent - AT.received

const block = Buffer.from(new ArrayBuffer(AT.end))
const words = new Uint32Array(block.buffer)
const opened = openNativeCalls(WATCH_BYTES)

/** Why these calls cannot be made on this machine; null: they can. Otherwise nothing here may be used. */
export const whyNot: string | null = typeof opened === 'string' ? opened : null

const calls = typeof opened === 'string' ? null : opened.calls
const base = typeof opened === 'string' ? 0n : opened.ffi.getRawPointer(block)
const { recvmsg, sendmsg, write, epoll_wait } = calls ?? { recvmsg: missing, sendmsg: missing, write: missing, epoll_wait: missing }

function missing(): never {
  throw new Error(whyNot ?? 'no system calls')
}

/** The functions themselves, for who keeps memory of its own for them. Throws where there are none. */
export function native(): NativeCalls {
  return typeof opened === 'string' ? missing() : opened
}

function made(): NonNullable<typeof calls> {
  return calls ?? missing()
}

const pointers = {
  events: base + BigInt(AT.events),
  event: base + BigInt(AT.event),
  option: base + BigInt(AT.option),
  nameLength: base + BigInt(AT.nameLength),
  name: base + BigInt(AT.name),
  header: base + BigInt(AT.header),
  outHeader: base + BigInt(AT.outHeader),
  watch: base + BigInt(AT.watch),
  sent: base + BigInt(AT.sent),
}
const { header: headerAt, outHeader: outHeaderAt, events: eventsAt, sent: sentAt } = pointers
/** Where packets begin that are sent on out of the received bytes: at most behind so many bytes, as a rule behind none. */
const receivedAt = Array.from({ length: 128 }, (_, offset) => base + BigInt(AT.received + offset))

writeMessageHeader(AT.header, { name: AT.source, vector: AT.vector, data: AT.received, bytes: ROOM_BYTES })
writeMessageHeader(AT.outHeader, { name: AT.target, vector: AT.outVector, data: AT.sent, bytes: 0 })

function writeMessageHeader(at: number, to: { name: number; vector: number; data: number; bytes: number }): void {
  block.writeBigUInt64LE(base + BigInt(to.name), at)
  block.writeUInt32LE(SOCKADDR_BYTES, at + 8)
  block.writeBigUInt64LE(base + BigInt(to.vector), at + 16)
  block.writeBigUInt64LE(1n, at + 24)
  block.writeBigUInt64LE(base + BigInt(to.data), to.vector)
  block.writeBigUInt64LE(BigInt(to.bytes), to.vector + 8)
}

// ---- Sockets ----

/** A UDP socket that never blocks; IPv6 ones take no IPv4. Below 0: the system's error, negative. */
export function openSocket(family: 'IPv4' | 'IPv6'): number {
  const fd = made().socket(family === 'IPv6' ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) return -errno()
  if (family === 'IPv6') setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
  return fd
}

/** 0, or the system's error, negative. */
export function bindSocket(fd: number, local: SocketAddress): number {
  const length = writeSockaddr(block.subarray(AT.name, AT.header), local)
  return made().bind(fd, pointers.name, length) === 0 ? 0 : -errno()
}

/** Where it is bound. */
export function localOf(fd: number): SocketAddress | null {
  block.writeUInt32LE(SOCKADDR_BYTES, AT.nameLength)
  return made().getsockname(fd, pointers.name, pointers.nameLength) === 0 ? readSockaddr(block.subarray(AT.name, AT.header)) : null
}

/** null: to nobody any longer. False: the system refused, and the socket is connected to nobody. */
export function connectSocket(fd: number, remote: SocketAddress | null): boolean {
  const length = remote === null ? 0 : writeSockaddr(block.subarray(AT.name, AT.header), remote)
  if (remote !== null) return length > 0 && made().connect(fd, pointers.name, length) === 0
  block.fill(0, AT.name, AT.header)
  block.writeUInt16LE(AF_UNSPEC, AT.name)
  return made().connect(fd, pointers.name, SOCKADDR_BYTES) === 0
}

/** How much may wait in it, in the kernel's own count, which doubles this and has a least. */
export function setReceiveRoom(fd: number, bytes: number): void {
  setOption(fd, SOL_SOCKET, SO_RCVBUF, bytes)
}

/** How much may wait to be sent, in the same count. */
export function setSendRoom(fd: number, bytes: number): void {
  setOption(fd, SOL_SOCKET, SO_SNDBUF, bytes)
}

/** To be called once for each descriptor: the number is another's a moment later. */
export function closeDescriptor(fd: number): void {
  made().close(fd)
}

/** The name of an error, such as EADDRINUSE. */
export function errorName(error: number): string {
  return getSystemErrorName(error)
}

function setOption(fd: number, level: number, option: number, value: number): void {
  block.writeInt32LE(value, AT.option)
  made().setsockopt(fd, level, option, pointers.option, 4)
}

/** Of the call that just failed. */
export function errno(): number {
  const { ffi, calls: made } = native()
  return ffi.getInt32(made.__errno_location())
}

// ---- Datagrams ----

/**
 * Takes the next datagram: its length, then in `received`, and where it came from, then in `source`. -1: there is none, or the network told of a
 * datagram sent before (ICMP), which is now forgotten.
 */
export function receiveDatagram(fd: number): number {
  words[(AT.header + 8) >> 2] = SOCKADDR_BYTES
  return recvmsg(fd, headerAt, 0)
}

/** A view for each usual length, made once. */
const views: (Buffer | undefined)[] = Array.from({ length: 2048 }, () => undefined)

/** The datagram just taken; the bytes are used for the next one. */
export function received(length: number): Buffer {
  const bytes = Math.min(Math.max(length, 0), ROOM_BYTES)
  if (bytes >= views.length) return block.subarray(AT.received, AT.received + bytes)
  return (views[bytes] ??= block.subarray(AT.received, AT.received + bytes))
}

const SOURCE_WORD = AT.source >> 2

/** Where a datagram came from, remembered as it is in memory so that a source that did not change need not be read again. */
export class Source {
  address = ''
  port = 0
  readonly #words = new Uint32Array(SOCKADDR_BYTES >> 2)

  /** Takes over where the datagram just taken came from, or what lies at a word of other memory. False: from no IP address. */
  take(from: Uint32Array = words, at = SOURCE_WORD): boolean {
    const known = this.#words
    const [first, second] = [from[at] ?? 0, from[at + 1] ?? 0]
    // Family and port; address. Of IPv6 all is compared.
    if (known[0] === first && known[1] === second && this.#isSameTail(from, at)) return true
    if ((first & 0xffff) === AF_INET) {
      known[0] = first
      known[1] = second
      this.address = ipv4Text(second | 0)
      // In the network's order.
      this.port = ((first >> 8) & 0xff00) | (first >>> 24)
      return true
    }
    const source = readSockaddr(Buffer.from(from.buffer, at * 4, SOCKADDR_BYTES))
    if (source === null) return false
    known.set(from.subarray(at, at + known.length))
    this.address = source.address
    this.port = source.port
    return true
  }

  #isSameTail(from: Uint32Array, at: number): boolean {
    const known = this.#words
    if (((known[0] ?? 0) & 0xffff) === AF_INET) return true
    for (let i = 2; i < known.length; i++) if (known[i] !== from[at + i]) return false
    return true
  }
}

/** Sends on a connected socket. False: the network did not take it. */
export function sendDatagram(fd: number, packet: Uint8Array): boolean {
  const { length } = packet
  if (length > LONGEST_DATAGRAM) return false
  const at = placed(packet)
  // An error told is that of a datagram sent before (ICMP), in place of sending this one.
  return write(fd, at, length) >= 0 || write(fd, at, length) >= 0
}

/** Where to send, as it is in memory. */
export class Target {
  #address = ''
  #port = 0
  readonly #bytes = Buffer.alloc(SOCKADDR_BYTES)
  #length = 0

  aim(remote: SocketAddress): void {
    const { address, port } = remote
    if (port === this.#port && address === this.#address) return
    this.#address = address
    this.#port = port
    this.#length = writeSockaddr(this.#bytes, remote)
  }

  /** Sends to where it was aimed last from a socket that is connected to nobody. False: the network did not take it. */
  send(fd: number, packet: Uint8Array): boolean {
    const { length } = packet
    if (length > LONGEST_DATAGRAM || this.#length === 0) return false
    block.set(packet, AT.sent)
    block.set(this.#bytes, AT.target)
    words[(AT.outHeader + 8) >> 2] = this.#length
    words[(AT.outVector + 8) >> 2] = length
    return sendmsg(fd, outHeaderAt, 0) >= 0 || sendmsg(fd, outHeaderAt, 0) >= 0
  }
}

/** Where the packet lies in the block: what was received is sent on from there, all else is copied. */
function placed(packet: Uint8Array): bigint {
  if (packet.buffer === block.buffer) {
    const pointer = receivedAt[packet.byteOffset - AT.received]
    if (pointer !== undefined) return pointer
  }
  block.set(packet, AT.sent)
  return sentAt
}

// ---- What has arrived ----

/** A descriptor that gathers which of many have something to take (epoll(7)). Below 0: the system's error, negative. */
export function openGathering(): number {
  const fd = made().epoll_create1(EPOLL_CLOEXEC)
  return fd < 0 ? -errno() : fd
}

/** False: the system refused. */
export function gather(gathering: number, fd: number): boolean {
  block.fill(0, AT.event, AT.event + EVENT_BYTES)
  block.writeUInt32LE(EPOLLIN, AT.event)
  block.writeUInt32LE(fd, AT.event + EVENT_DATA)
  return made().epoll_ctl(gathering, EPOLL_CTL_ADD, fd, pointers.event) === 0
}

export function ungather(gathering: number, fd: number): void {
  made().epoll_ctl(gathering, EPOLL_CTL_DEL, fd, pointers.event)
}

/** How many have something to take, EVENTS_AT_ONCE at most; which, by `arrivedAt`. Those left out come first the next time. */
export function lookAt(gathering: number): number {
  return epoll_wait(gathering, eventsAt, EVENTS_AT_ONCE, 0)
}

/** The descriptor that the last look named at `index`. */
export function arrivedAt(index: number): number {
  return words[(index * EVENT_BYTES + EVENT_DATA) >> 2] ?? -1
}

/**
 * Lets libuv call `arrived` whenever the gathering has something, from `begin` until `end`; while it does, the process lives. It is called by
 * C: it must not throw, and promises and ticks that it makes wait until something else is called. To be called once in the life of a process,
 * as it has the one place for a watch. Null: libuv refused.
 */
export function watch(gathering: number, arrived: () => void): { begin(): void; end(): void } | null {
  if (typeof opened === 'string') return null
  const { ffi, library } = opened
  const callback = library.registerCallback({ arguments: ['pointer', 'int32', 'int32'], return: 'void' }, () => arrived())
  if (made().uv_poll_init(ffi.getCurrentEventLoop(), pointers.watch, gathering) !== 0) return null
  return {
    begin: () => void made().uv_poll_start(pointers.watch, UV_READABLE, callback),
    end: () => void made().uv_poll_stop(pointers.watch),
  }
}

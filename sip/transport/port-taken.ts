import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { TransportName } from '#sip/agent.ts'

/** An address to listen on. */
export interface ListenAt {
  /** IP literal; 0.0.0.0 and :: mean every address of that family. */
  address: string
  /** 0: any free port. */
  port: number
  /** Name of the setting that chose it, for the error that says what to change. */
  setting: string
}

/** A local address cannot be listened on. The message names port, transport, setting and, when known, who has it. */
export class ListenError extends Error {
  override readonly name: string = 'ListenError'
  readonly transport: TransportName
  readonly at: ListenAt
  /** Code of the operating system: EADDRINUSE, EADDRNOTAVAIL, EACCES, ... */
  readonly code: string

  constructor(transport: TransportName, at: ListenAt, detail: string, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${transport.toUpperCase()} port ${at.port} of ${at.address}: ${detail}; the setting is ${at.setting}`, {
      cause,
    })
    this.transport = transport
    this.at = at
    this.code = cause.code ?? 'unknown'
  }
}

/** The port is in use. */
export class PortTakenError extends ListenError {
  override readonly name = 'PortTakenError'
  /** `command (pid 123)`, or `a process of the user www-data` where that is all we may see; null when it cannot be known (not Linux). */
  readonly owner: string | null

  constructor(transport: TransportName, at: ListenAt, cause: NodeJS.ErrnoException) {
    const owner = portOwner(transport === 'udp' ? 'udp' : 'tcp', at.port)
    super(transport, at, `it is taken by ${owner ?? 'another process'}`, cause)
    this.owner = owner
  }
}

/** The error for a failed bind or listen. */
export function listenError(transport: TransportName, at: ListenAt, cause: NodeJS.ErrnoException): ListenError {
  if (cause.code === 'EADDRINUSE') return new PortTakenError(transport, at, cause)
  const details: Record<string, string> = {
    EADDRNOTAVAIL: 'this machine does not have that address',
    EACCES: 'ports below 1024 need a privilege that this process lacks',
  }
  return new ListenError(transport, at, details[cause.code ?? ''] ?? cause.message, cause)
}

/** Who has a local port, as Linux's /proc tells it; null when it does not. */
function portOwner(protocol: 'udp' | 'tcp', port: number): string | null {
  try {
    const sockets = [...socketsOf(`/proc/net/${protocol}`, port), ...socketsOf(`/proc/net/${protocol}6`, port)]
    const inodes = new Set(sockets.map(({ inode }) => inode))
    const pid = readdirSync('/proc').find((name) => /^[0-9]+$/.test(name) && holdsOne(name, inodes))
    if (pid !== undefined) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
    // The files of other users' processes are not for us to see; whose socket it is, is.
    const uid = sockets.find((socket) => socket.uid !== String(process.getuid?.()))?.uid
    return uid === undefined ? null : `a process of the user ${userOf(uid)}`
  } catch {
    return null
  }
}

function userOf(uid: string): string {
  const row = lines('/etc/passwd').find((line) => line.split(':')[2] === uid)
  return row?.split(':')[0] ?? uid
}

function socketsOf(table: string, port: number): { inode: string; uid: string }[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = lines(table).map((line) => line.trim().split(/\s+/))
  return rows.flatMap(({ 1: local, 7: uid, 9: inode }) =>
    local?.endsWith(suffix) === true && inode !== undefined && uid !== undefined ? [{ inode, uid }] : [],
  )
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(inodeOf(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return false
  }
}

function inodeOf(fd: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(fd))?.[1] ?? ''
  } catch {
    return ''
  }
}

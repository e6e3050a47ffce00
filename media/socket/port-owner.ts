import { readdir, readFile, readlink } from 'node:fs/promises'

/**
 * Which program has a UDP port, as `rtpengine (process 4711)`, from Linux's /proc; null when nobody has it, when its process
 * belongs to a user whose files we may not see, or on another system.
 */
export async function ownerOfUdpPort(port: number): Promise<string | null> {
  const inodes = new Set<string>()
  for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const inode of inodesOfPort(await readOr(table, ''), port)) inodes.add(inode)
  }
  if (inodes.size === 0) return null
  const processes = (await listOr('/proc')).filter((name) => /^\d+$/.test(name))
  for (const process of processes) {
    if (await holds(process, inodes)) return describe(process)
  }
  return null
}

/** Inodes of the sockets bound to `port` in a table of the form of /proc/net/udp. */
export function inodesOfPort(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const found: string[] = []
  for (const line of table.split('\n').slice(1)) {
    const [, local, , , , , , , , inode] = line.trim().split(/\s+/)
    if (local?.split(':')[1] === wanted && inode !== undefined) found.push(inode)
  }
  return found
}

async function holds(process: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await listOr(`/proc/${process}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(await linkOr(`/proc/${process}/fd/${fd}`))?.[1]
    if (inode !== undefined && inodes.has(inode)) return true
  }
  return false
}

async function describe(process: string): Promise<string> {
  const name = (await readOr(`/proc/${process}/comm`, '')).trim()
  return `${name === '' ? 'a program' : name} (process ${process})`
}

async function readOr(file: string, otherwise: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => otherwise)
}

async function listOr(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

async function linkOr(file: string): Promise<string> {
  return readlink(file).catch(() => '')
}

import { execFile } from 'node:child_process'
import { mkdir, open, readFile, rm, statfs } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Finding } from '#contract/api/operation.ts'
import { bad, examine, warning, well } from '#server/doctor/findings.ts'
import type { Settings } from '#server/settings.ts'

const mega = 1_000_000
/** Sockets of one bridged call: four ports of two legs; and what the process has anyway. */
const filesPerCall = 4
const filesAnyway = 512
/** Of the sockets' receive buffer: some 50 ms of a busy signalling port. */
const leastReceiveBuffer = 212_992

/** What can be examined whether the system runs or not. */
export function examineMachine(settings: Settings): Promise<Finding[]> {
  return examine({
    disk: () => disk(settings.folders.data),
    memory: () => [memory()],
    'open files': () => openFiles(settings.calls.limit),
    'receive buffers': receiveBuffers,
    'time service': timeService,
    'time zones': () => [timeZones()],
  })
}

async function disk(folder: string): Promise<Finding[]> {
  await mkdir(folder, { recursive: true })
  const { bavail, bsize, blocks } = await statfs(folder)
  const free = bavail * bsize
  const detail = `${Math.round(free / mega)} MB are free in ${folder} (${Math.round((100 * bavail) / Math.max(1, blocks))} %)`
  const todo = 'Free space, or move the data to a larger disk (CENTRALA_DATA_FOLDER): a call takes 0.1 MB a minute when it is recorded.'
  const room = free < 200 * mega ? bad('disk', detail, todo) : free < 2_000 * mega ? warning('disk', detail, todo) : well('disk', detail)
  return [room, await writing(folder)]
}

/** Written and flushed, as the journal does with every call. */
async function writing(folder: string): Promise<Finding> {
  const path = join(folder, `.doctor-${process.pid}`)
  const startedAt = performance.now()
  try {
    const handle = await open(path, 'w', 0o600)
    await handle.writeFile(Buffer.alloc(4_096))
    await handle.sync()
    await handle.close()
  } catch (fault) {
    return bad(
      'disk',
      `${folder} cannot be written: ${fault instanceof Error ? fault.message : String(fault)}`,
      'Give the user of Centrala this folder, or free space.',
    )
  } finally {
    await rm(path, { force: true })
  }
  const ms = Math.round(performance.now() - startedAt)
  return ms > 250
    ? warning(
        'disk',
        `a flush to the disk takes ${ms} ms`,
        'Every answered call waits for one: use a faster disk, or find out who keeps it busy.',
      )
    : well('disk', `written and flushed within ${ms} ms`)
}

function memory(): Finding {
  const [free, total] = [freemem(), totalmem()]
  const detail = `${Math.round(free / mega)} of ${Math.round(total / mega)} MB of memory are free`
  return free < 150 * mega
    ? warning('memory', detail, 'Stop other programs or add memory: a machine that swaps makes voices stutter.')
    : well('memory', detail)
}

async function openFiles(callLimit: number): Promise<Finding[]> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => null)
  if (limits === null) return [well('open files', 'the limit cannot be read on this system')]
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  const wanted = filesAnyway + filesPerCall * callLimit
  return [
    limit < wanted
      ? warning(
          'open files',
          `a process may open ${limit} files; ${callLimit} calls (CENTRALA_CALL_LIMIT) want ${wanted}`,
          `Raise it: LimitNOFILE=${wanted} in the service, or ulimit -n ${wanted}.`,
        )
      : well('open files', `a process may open ${limit} files`),
  ]
}

async function receiveBuffers(): Promise<Finding[]> {
  const text = await readFile('/proc/sys/net/core/rmem_default', 'utf8').catch(() => null)
  if (text === null) return [well('receive buffers', 'the size cannot be read on this system')]
  const bytes = Number(text)
  return [
    bytes < leastReceiveBuffer
      ? warning(
          'receive buffers',
          `a socket holds ${bytes} bytes that wait`,
          `Bursts of packets are lost: sysctl -w net.core.rmem_default=${leastReceiveBuffer}`,
        )
      : well('receive buffers', `a socket holds ${bytes} bytes that wait`),
  ]
}

/** Whether the system keeps its clock by others: signed caller identity is worth nothing a minute off, and opening hours go by it. */
async function timeService(): Promise<Finding[]> {
  const name = 'time service'
  const said = await new Promise<string>((resolve) => {
    execFile('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: 2_000 }, (fault, text) =>
      resolve(fault === null ? text.trim() : ''),
    )
  })
  if (said === 'yes') return [well(name, 'the clock is kept right by a time service')]
  if (said !== 'no') return [well(name, 'whether the clock is kept right cannot be asked on this system')]
  return [
    warning(
      name,
      'no time service keeps the clock right',
      'Switch one on: timedatectl set-ntp true, or install chrony. Signatures of callers fail when the clock is a minute off.',
    ),
  ]
}

/** Opening hours need them. */
function timeZones(): Finding {
  const winter = new Date(Date.UTC(2026, 0, 15, 12)).toLocaleTimeString('en-GB', { timeZone: 'America/New_York', hour: '2-digit' })
  return winter === '07'
    ? well('time zones', 'the data of time zones is there')
    : bad(
        'time zones',
        `noon in London is ${winter} o’clock in New York by the data of this machine`,
        'Use the Node that npm installs: it brings the data.',
      )
}

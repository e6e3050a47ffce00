import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The system user that PostgreSQL runs as when we are root (it refuses to be root itself). */
export interface SystemUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** No user for the database could be found or made. The message says which command to run. */
export class NoDatabaseUserError extends Error {
  override readonly name = 'NoDatabaseUserError'
}

/** The user to drop to: null when we are not root. Made on first use as `centrala-db`, where the system has a command for that. */
export async function databaseUser(): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null
  const own = await lookUp('centrala-db')
  if (own !== null) return own
  await makeUser()
  const made = (await lookUp('centrala-db')) ?? (await lookUp('postgres'))
  if (made !== null) return made
  throw new NoDatabaseUserError(
    'PostgreSQL does not run as root, and no user for it could be made. Run: useradd --system --user-group --no-create-home --shell /usr/sbin/nologin centrala-db',
  )
}

async function makeUser(): Promise<void> {
  const flags = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    'centrala-db',
  ]
  const made = await attempt('useradd', flags)
  // BusyBox systems.
  if (!made) await attempt('adduser', ['-S', '-D', '-H', '-s', '/sbin/nologin', 'centrala-db'])
}

async function attempt(command: string, args: string[]): Promise<boolean> {
  try {
    await run(command, args)
    return true
  } catch {
    return false
  }
}

async function lookUp(name: string): Promise<SystemUser | null> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '')
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':')
    if (user === name) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return null
}

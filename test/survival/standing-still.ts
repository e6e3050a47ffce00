import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Holds the PostgreSQL of a data folder stopped, the postmaster and everything it started, until it is disposed of. */
export async function standingStill(dataFolder: string): Promise<Disposable> {
  const held: number[] = []
  const standing = { [Symbol.dispose]: () => held.splice(0).forEach((pid) => signal(pid, 'SIGCONT')) }
  try {
    const postmaster = Number((await readFile(join(dataFolder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
    process.kill(postmaster, 'SIGSTOP')
    held.push(postmaster)
    // It starts none from here on; those that end of themselves meanwhile are no matter.
    for (const pid of await childrenOf(postmaster)) {
      signal(pid, 'SIGSTOP')
      held.push(pid)
    }
    return standing
  } catch (fault) {
    standing[Symbol.dispose]()
    throw fault
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(
    all.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      return { pid, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }
    }),
  )
  return parents.filter((each) => each.parent === parent).map(({ pid }) => pid)
}

/** Nothing when it is gone. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (fault) {
    if (!(fault instanceof Error && 'code' in fault && fault.code === 'ESRCH')) throw fault
  }
}

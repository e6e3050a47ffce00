import { join } from 'node:path'
import { askKeeper } from '#server/keeper/only-one.ts'
import { readSettings } from '#server/settings.ts'

/** `centrala status`: the processes of the running system, one a line: name, state, process id, restarts. */
async function main(): Promise<number> {
  const { folders } = readSettings({ environment: process.env, project: join(import.meta.dirname, '..') })
  const status = await askKeeper(folders.run)
  if (status === null) {
    console.log(`Centrala does not run with the data in ${folders.data}.`)
    return 1
  }
  console.log(`keeper ${status.pid}`)
  for (const { name, state, pid, restarts } of status.processes) console.log([name, state, pid ?? '-', `restarts=${restarts}`].join(' '))
  return 0
}

process.exitCode = await main()

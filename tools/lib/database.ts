import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { becomeTheOnlyKeeper } from '#server/keeper/only-one.ts'
import { makePrivateFolder } from '#server/run-folder.ts'
import type { Settings } from '#server/settings.ts'
import { openStore, type Store, type StoreUrls } from '#server/store/index.ts'
import { runningPostgres, startEmbeddedPostgres } from '#server/store/postgres-process.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** How long a database may take to answer. */
const readyMs = 30_000

/** The installation's database, as one command needs it. */
export interface Database extends AsyncDisposable {
  readonly store: Store
}

/**
 * Opens the database of an installation: its own, or the running system's, or else the embedded one, started for this command and stopped with
 * it. `alone`: the system must not run, and cannot be started until this is disposed of; `Trouble` says so when it runs.
 */
export async function openDatabase(settings: Settings, options: { alone: boolean }): Promise<Database> {
  await using opened = new AsyncDisposableStack()
  const isOwn = settings.database.url !== null
  const running = isOwn || options.alone ? null : await runningPostgres(settings.folders.data)
  if (options.alone || (!isOwn && running === null)) await keepOthersOut(settings, opened)
  const urls = ownUrls(settings) ?? running ?? (await startForUs(settings, opened))
  const store = openStore({ urls, clock: systemClock, log: silentLog, connections: 2 })
  opened.defer(() => store.close())
  await store.ready(readyMs).catch((fault: unknown) => {
    throw new Trouble(`The database does not answer: ${fault instanceof Error ? fault.message : String(fault)}`)
  })
  const all = opened.move()
  return { store, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** While a command holds the keeper's place, `npm start` says that the data is in use. */
async function keepOthersOut({ folders }: Settings, opened: AsyncDisposableStack): Promise<void> {
  makePrivateFolder(folders.run)
  const place = await becomeTheOnlyKeeper(folders.run, { status: () => ({ pid: process.pid, processes: [] }) })
  if ('processes' in place) throw new Trouble(`Centrala runs with the data in ${folders.data} (process ${place.pid}). Stop it first.`)
  opened.defer(() => new Promise<void>((done) => place.close(() => done())))
}

async function startForUs({ folders }: Settings, opened: AsyncDisposableStack): Promise<StoreUrls> {
  const postgres = await startEmbeddedPostgres({ dataFolder: folders.data, log: silentLog })
  opened.defer(() => postgres.stop())
  return postgres.urls
}

function ownUrls({ database }: Settings): StoreUrls | null {
  if (database.url === null) return null
  const { url, tenantUrl, systemUrl } = database
  return { owner: url, ...(tenantUrl !== null && { tenant: tenantUrl }), ...(systemUrl !== null && { system: systemUrl }) }
}

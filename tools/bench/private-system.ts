import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { devices, documentsFor } from '#tools/bench/company.ts'
import { childrenOf, familyOf, pin } from '#tools/bench/processes.ts'
import { Trouble } from '#tools/lib/trouble.ts'

const HTTP_PORT = 28_380
const READY_MS = 90_000

/** A system of its own, server and one engine tied to one core. Disposing ends it and removes its data. */
export interface PrivateSystem extends AsyncDisposable {
  readonly target: string
  /** Where its figures are read. */
  readonly metrics: string
  /** As it is now: another one after it was killed. */
  readonly server: number
  readonly engine: number
  readonly keeper: number
  /** PostgreSQL, all its processes as they are now. */
  database(): number[]
  /** Gives the company other documents. */
  configure(documents: readonly object[]): Promise<void>
}

/** Starts it, waits until it serves, and gives it the company of the bench. Throws Trouble when it does not come up. `more`: settings by their names. */
export async function openPrivateSystem(
  project: string,
  core: number,
  more: Readonly<Record<string, string>> = {},
): Promise<PrivateSystem> {
  const data = join(tmpdir(), `centrala-bench-${process.pid}`)
  const child = spawn(process.execPath, [join(project, 'server/keeper/main.ts')], {
    env: { ...process.env, ...environmentOf(data), ...more },
    stdio: 'ignore',
  })
  const keeper = child.pid ?? 0
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
    await rm(data, { recursive: true, force: true })
  }
  try {
    await untilServing(data)
    await configure(data, documentsFor(devices))
    const of = (entry: string): number => childrenOf(keeper).find(({ command }) => command.includes(entry))?.pid ?? 0
    const [server, engine, postgres] = [of('server/main.ts'), of('media/engine/main.ts'), of('/postgres ')]
    for (const pid of [server, engine]) pin(pid, core)
    return {
      ...{
        target: '127.0.30.1:25760',
        metrics: `http://127.0.0.1:${HTTP_PORT}/metrics`,
        engine,
        keeper,
        database: () => familyOf(postgres),
      },
      get server() {
        return of('server/main.ts') || server
      },
      configure: (documents) => configure(data, documents),
      [Symbol.asyncDispose]: end,
    }
  } catch (fault) {
    await end()
    throw fault
  }
}

function environmentOf(data: string): Record<string, string> {
  return {
    CENTRALA_DATA_FOLDER: data,
    CENTRALA_SIP_ADDRESSES: '127.0.30.1',
    CENTRALA_SIP_PORT: '25760',
    CENTRALA_SIP_WS_PORT: '25766',
    CENTRALA_HTTP_PORT: String(HTTP_PORT),
    CENTRALA_DEMO_CARRIER_PORT: '25770',
    // As many as no rate that is measured runs out of: a bridged call takes four, which rest for three seconds when it is over.
    CENTRALA_RTP_FIRST_PORT: '28400',
    CENTRALA_RTP_LAST_PORT: '53999',
    CENTRALA_DEMO_CARRIER_RTP_FIRST_PORT: '54000',
    CENTRALA_MEDIA_ENGINES: '1',
    CENTRALA_CALLS_PER_SECOND: '5000',
    CENTRALA_CALL_LIMIT: '20000',
    CENTRALA_LOG_LEVEL: 'warn',
  }
}

async function untilServing(data: string): Promise<void> {
  const until = Date.now() + READY_MS
  while (Date.now() < until) {
    const answer = existsSync(join(data, 'operator.key')) ? await fetch(`http://127.0.0.1:${HTTP_PORT}/v1/health`).catch(() => null) : null
    if (answer !== null) return
    await pause(250)
  }
  throw new Trouble('The private system did not come up. Is another bench running?')
}

async function configure(data: string, documents: readonly object[]): Promise<void> {
  const key = readFileSync(join(data, 'operator.key'), 'utf8').trim()
  const answer = await fetch(`http://127.0.0.1:${HTTP_PORT}/v1/configuration`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${key}`, 'centrala-company': 'demo', 'content-type': 'application/json' },
    body: JSON.stringify({ documents, comment: 'bench' }),
  })
  if (!answer.ok) throw new Trouble(`The bench's company was refused: ${await answer.text()}`)
}

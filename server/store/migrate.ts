import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'

/**
 * One step of the schema. Runs once per database, in a transaction of its own, as the owner, in schema `centrala`, while an older server may be
 * at work: a step only adds (a table, a column with a default, a view), so that the old code goes on; what is not needed any more is taken away
 * by a step of a later release.
 */
export interface Migration {
  /** `0001-base`: number and what it is about. */
  readonly name: string
  up(client: Client): Promise<void>
}

/** The database was made by a newer system. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError'
}

/** A step waits no longer than this for a lock that queries of a running server hold: all that come after would queue behind it. */
const lockMs = 1_000
/** Then it lets them pass, and tries again. */
const pauseMs = 200
const mostTries = 60

/** PostgreSQL's lock_not_available. */
const lockNotAvailable = '55P03'

/** Any number; the same in every version of the system. */
const advisoryLock = 7_240_311

/**
 * Brings the schema up to date. Servers that start together take turns (advisory lock). A database with steps this system does not know
 * is refused with `NewerSchemaError`. Returns the names of the steps made now.
 */
export async function migrate(client: Client, steps: readonly Migration[]): Promise<string[]> {
  await client.query('select pg_advisory_lock($1)', [advisoryLock])
  try {
    return await runMissing(client, steps)
  } finally {
    await client.query('select pg_advisory_unlock($1)', [advisoryLock])
  }
}

async function runMissing(client: Client, steps: readonly Migration[]): Promise<string[]> {
  await client.query('create schema if not exists centrala')
  await client.query('set search_path = centrala')
  await client.query('create table if not exists migration (name text primary key, at timestamptz not null default now())')
  const { rows } = await client.query<{ name: string }>('select name from migration')
  const done = new Set(rows.map((row) => row.name))
  const unknown = [...done].filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0)
    throw new NewerSchemaError(
      `the database was brought to ${unknown.join(', ')} by a newer version of Centrala: run that version again, or restore a backup of before into an empty database`,
    )
  const made: string[] = []
  for (const step of steps) {
    if (done.has(step.name)) continue
    await runOne(client, step)
    made.push(step.name)
  }
  return made
}

async function runOne(client: Client, step: Migration): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await attempt(client, step)
      return
    } catch (fault) {
      const isBusy = fault instanceof Error && 'code' in fault && fault.code === lockNotAvailable
      if (!isBusy || tries === mostTries) throw fault
      await sleep(pauseMs)
    }
  }
}

async function attempt(client: Client, step: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(`set local lock_timeout = ${lockMs}`)
    await step.up(client)
    await client.query('insert into migration (name) values ($1)', [step.name])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

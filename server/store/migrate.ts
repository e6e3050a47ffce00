import type { Client } from 'pg'

/** One step of the schema. Runs once per database, in a transaction of its own, as the owner, in schema `centrala`. */
export interface Migration {
  /** `0001-base`: number and what it is about. */
  readonly name: string
  up(client: Client): Promise<void>
}

/** The database was made by a newer system. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError'
}

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
  if (unknown.length > 0) throw new NewerSchemaError(`the database knows ${unknown.join(', ')}; this version of the system does not`)
  const made: string[] = []
  for (const step of steps) {
    if (done.has(step.name)) continue
    await runOne(client, step)
    made.push(step.name)
  }
  return made
}

async function runOne(client: Client, step: Migration): Promise<void> {
  await client.query('begin')
  try {
    await step.up(client)
    await client.query('insert into migration (name) values ($1)', [step.name])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

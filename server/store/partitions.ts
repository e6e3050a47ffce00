import type { Client } from 'pg'

/** Tables cut by month, and by which column. */
const monthly = ['fact', 'call'] as const
/** How many months ahead there is always a partition. What is older or newer goes to the table's `_other`. */
const monthsAhead = 3

/** Makes the monthly partitions from last month to three ahead of `wall` (milliseconds since the Unix epoch). Run as the owner; idempotent. */
export async function makePartitions(client: Client, wall: number): Promise<void> {
  const today = new Date(wall)
  for (let offset = -1; offset <= monthsAhead; offset++) {
    const from = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + offset, 1))
    const to = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1))
    for (const table of monthly) await makePartition(client, table, from, to)
  }
}

async function makePartition(client: Client, table: string, from: Date, to: Date): Promise<void> {
  const name = `${table}_${from.toISOString().slice(0, 7).replace('-', '_')}`
  const { rowCount } = await client.query(
    "select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'centrala' and c.relname = $1",
    [name],
  )
  if (rowCount !== 0) return
  try {
    await client.query(
      `create table if not exists centrala.${name} partition of centrala.${table} for values from ('${from.toISOString()}') to ('${to.toISOString()}')`,
    )
  } catch (error) {
    // Rows of that month are in `_other` already (a restore, or a clock that was far off): they stay there, and are found there.
    if (!(error instanceof Error && 'code' in error && error.code === '23514')) throw error
  }
}

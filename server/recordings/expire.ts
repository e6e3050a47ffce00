import { unlink } from 'node:fs/promises'
import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { sidecarOf } from '#media/record/sidecar.ts'
import { recordingFile } from '#server/recordings/paths.ts'
import { mailRecording } from '#server/recordings/recordings.ts'
import type { Store, TenantId } from '#server/store/index.ts'

export interface ExpireNeeds {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Folder of all recordings. */
  readonly root: string
}

/** Nothing is deleted where nobody has called for so long: a clock that is years ahead, or an old backup that was restored, would take everything at once. */
const quietMs: Millis = 60 * 24 * 3_600_000
/** Rows looked at in one transaction. */
const batch = 200

/**
 * Deletes the recordings of every company whose time is over: the file, what stands beside it, and then its row says when. A recording in progress
 * has no row yet, and one that waits to be mailed is left for the next day. May be stopped at any point and begun again.
 */
export async function expireRecordings(needs: ExpireNeeds): Promise<void> {
  const { store, clock, log } = needs
  const companies = await store.acrossTenants('recordings whose time is over', (db) =>
    db
      .selectFrom('recording')
      .select('tenant')
      .distinct()
      .where('expired_at', 'is', null)
      .where('keep_until', '<=', new Date(clock.wall()))
      .execute(),
  )
  for (const { tenant } of companies) {
    const last = await lastCall(store, tenant)
    if (clock.wall() - last > quietMs) {
      log.warn('recordings whose time seems to be over are left: the last call is long ago, and the clock may be wrong', {
        ...{ tenant, lastCall: new Date(last).toISOString(), now: new Date(clock.wall()).toISOString() },
      })
      continue
    }
    const counts = await expireOf(needs, tenant)
    if (counts.failed > 0) log.warn('recordings whose time is over could not all be deleted', { tenant, ...counts })
    else if (counts.deleted + counts.missing > 0) log.info('deleted recordings whose time was over', { tenant, ...counts })
  }
}

/** When a company's last call began that is known. */
function lastCall(store: Store, tenant: TenantId): Promise<number> {
  return store.forTenant(tenant, async (db) => {
    const times = await Promise.all(
      (['call', 'recording'] as const).map((table) =>
        db.selectFrom(table).select('started_at').where('tenant', '=', tenant).orderBy('started_at', 'desc').limit(1).executeTakeFirst(),
      ),
    )
    return Math.max(0, ...times.map((row) => row?.started_at.getTime() ?? 0))
  })
}

/** `missing`: the audio was not there any more. `failed`: it could not be deleted, and is tried again the next day. */
type Counts = Record<'deleted' | 'missing' | 'failed', number>

async function expireOf(needs: ExpireNeeds, tenant: TenantId): Promise<Counts> {
  const counts: Counts = { deleted: 0, missing: 0, failed: 0 }
  for (let last = ''; ; ) {
    const due = await dueAfter(needs, tenant, last)
    const gone: string[] = []
    for (const { id, path } of due) {
      const how = await erase(recordingFile(needs.root, tenant, path))
      counts[how]++
      if (how !== 'failed') gone.push(id)
    }
    // After the files: rows that say so too early would leave files that nobody looks for.
    if (gone.length > 0) await note(needs, tenant, gone)
    const final = due.at(-1)
    if (final === undefined || due.length < batch) return counts
    last = final.id
  }
}

function dueAfter({ store, clock }: ExpireNeeds, tenant: TenantId, last: string): Promise<{ id: string; path: string }[]> {
  return store.forTenant(tenant, (db) =>
    db
      .selectFrom('recording')
      .select(['id', 'path'])
      .where('tenant', '=', tenant)
      .where('expired_at', 'is', null)
      .where('keep_until', '<=', new Date(clock.wall()))
      .where('id', '>', last)
      .where((by) =>
        by.not(
          by.exists(
            by
              .selectFrom('job')
              .select('job.id')
              .where('job.tenant', '=', tenant)
              .where('job.kind', '=', mailRecording)
              .whereRef('job.key', '=', 'recording.id')
              .where('job.state', '=', 'waiting'),
          ),
        ),
      )
      .orderBy('id')
      .limit(batch)
      .execute(),
  )
}

/** `file` null: the row leads out of the company's folder, and nothing is touched. */
async function erase(file: string | null): Promise<keyof Counts> {
  if (file === null) return 'failed'
  try {
    await remove(sidecarOf(file))
    return (await remove(file)) ? 'deleted' : 'missing'
  } catch {
    return 'failed'
  }
}

/** False: there was none. */
function remove(file: string): Promise<boolean> {
  return unlink(file).then(
    () => true,
    (fault: unknown) => {
      if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return false
      throw fault
    },
  )
}

async function note({ store, clock }: ExpireNeeds, tenant: TenantId, ids: readonly string[]): Promise<void> {
  await store.forTenant(tenant, (db) =>
    db
      .updateTable('recording')
      .set({ expired_at: new Date(clock.wall()) })
      .where('tenant', '=', tenant)
      .where('id', 'in', ids)
      .execute(),
  )
}

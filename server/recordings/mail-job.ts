import type { Clock, Millis } from '#base/clock.ts'
import type { History } from '#server/history/index.ts'
import type { JobHandler, JobResult } from '#server/jobs/index.ts'
import type { Journal } from '#server/journal/index.ts'
import { MailError, type Mailer } from '#server/mail/index.ts'
import type { RecordingMailPolicy, Recordings } from '#server/recordings/face.ts'
import { recordingMail } from '#server/recordings/mail-text.ts'
import type { Store, TenantId } from '#server/store/index.ts'

export interface MailJobSettings {
  readonly store: Store
  readonly recordings: () => Pick<Recordings, 'get' | 'file'>
  readonly history: History
  readonly mailer: Mailer
  readonly journal: Pick<Journal, 'append' | 'continueFrom'>
  readonly policy: RecordingMailPolicy
  readonly clock: Clock
}

const waitForCallMs: Millis = 1_000
/** A call of which nothing came in so long is not waited for any more. */
const patienceMs: Millis = 3_600_000

/** Mails a recording once its call has ended. `recordings` is asked for late: recordings and jobs know each other. */
export function recordingMailJob(settings: MailJobSettings): JobHandler {
  return ({ tenant, payload }) => mail(settings, tenant, read(payload))
}

interface Order {
  id: string
  to: string[]
}

function read(payload: unknown): Order {
  const { recording, to } = (typeof payload === 'object' && payload !== null ? payload : {}) as { recording?: unknown; to?: unknown }
  return { id: String(recording), to: Array.isArray(to) ? to.map(String) : [] }
}

async function mail(settings: MailJobSettings, tenant: TenantId, order: Order): Promise<JobResult> {
  const { recordings, history, policy, clock } = settings
  const recording = await recordings().get(tenant, order.id)
  const file = await recordings().file(tenant, order.id)
  if (recording === null || file === null) return { kind: 'give-up', why: 'the recording is gone' }
  const wish = policy(tenant)
  const to = [...new Set([...order.to, ...(wish?.to ?? [])])]
  if (wish === null || to.length === 0 || recording.mailedAt !== null) return { kind: 'done' }
  const call = await history.call(tenant, recording.call)
  const isFresh = clock.wall() - recording.startedAt - recording.ms < patienceMs
  if (call === null && isFresh) return { kind: 'later', ms: waitForCallMs }
  const { subject, text, filename } = recordingMail(recording, call, wish)
  try {
    await settings.mailer.send(tenant, {
      to,
      subject,
      text,
      id: `${tenant}/${order.id}`,
      attachments: [{ filename, path: file, contentType: 'audio/ogg' }],
    })
  } catch (error) {
    if (error instanceof MailError && error.permanent) return { kind: 'give-up', why: error.message }
    throw error
  }
  await note(settings, tenant, { id: order.id, call: recording.call, to: to.join(', ') })
  return { kind: 'done' }
}

async function note(
  { store, journal, clock }: MailJobSettings,
  tenant: TenantId,
  { id, call, to }: { id: string; call: string; to: string },
): Promise<void> {
  const last = await store.forTenant(tenant, async (db) => {
    await db
      .updateTable('recording')
      .set({ mailed_at: new Date(clock.wall()), mailed_to: to })
      .where('id', '=', id)
      .execute()
    return db
      .selectFrom('fact')
      .select((by) => by.fn.max('seq').as('seq'))
      .where('tenant', '=', tenant)
      .where('call', '=', call)
      .executeTakeFirst()
  })
  journal.continueFrom(tenant, call, last?.seq ?? 0)
  journal.append({ kind: 'recording.mailed', tenant, call, recording: id, to })
}

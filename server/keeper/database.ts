import type { Log } from '#base/log.ts'
import { spaceHint } from '#server/keeper/folder-trouble.ts'
import type { Launch } from '#server/keeper/kept.ts'
import { startEmbeddedPostgres } from '#server/store/postgres-process.ts'
import type { EmbeddedPostgres, StoreUrls } from '#server/store/settings.ts'

export interface EmbeddedDatabase {
  launch: Launch
  /** How the server process reaches it; empty until it serves. */
  environment: () => Record<string, string>
}

/** The embedded PostgreSQL as one of the keeper's processes. It restarts its postmaster by itself; the keeper only begins and ends it. */
export function embeddedDatabase(dataFolder: string, log: Log): EmbeddedDatabase {
  let urls: StoreUrls | null = null
  const launch: Launch = (events) => {
    let postgres: EmbeddedPostgres | undefined
    const end = Promise.withResolvers<void>()
    const live = async (): Promise<void> => {
      const started = await startEmbeddedPostgres({ dataFolder, log })
      postgres = started
      urls = started.urls
      events.onReady(null)
      await end.promise
      await started.stop()
    }
    live().then(
      () => events.onEnded({ why: 'stopped', refused: null }),
      (fault: unknown) => {
        const why = [spaceHint(dataFolder), messageOf(fault)].filter((text) => text !== '').join('\n')
        events.onEnded({ why, refused: why })
      },
    )
    return {
      get pid() {
        return postgres?.pid ?? null
      },
      end: (mode) => {
        if (mode === 'kill') postgres?.kill()
        end.resolve()
      },
    }
  }
  return { launch, environment: () => (urls === null ? {} : environmentOf(urls)) }
}

function environmentOf(urls: StoreUrls): Record<string, string> {
  return {
    DATABASE_URL: urls.owner,
    ...(urls.tenant !== undefined && { CENTRALA_DATABASE_TENANT_URL: urls.tenant }),
    ...(urls.system !== undefined && { CENTRALA_DATABASE_SYSTEM_URL: urls.system }),
  }
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault)
}

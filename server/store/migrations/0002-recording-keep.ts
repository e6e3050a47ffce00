import type { Migration } from '#server/store/migrate.ts'

/** How long a recording is kept, and when it was deleted. Those of before have no date and are kept: nobody wrote down which policy they came from. */
export const recordingKeep: Migration = {
  name: '0002-recording-keep',
  up: async (client) => void (await client.query(statements)),
}

const statements = `
alter table recording add column keep_until timestamptz, add column expired_at timestamptz;
create index recording_to_expire on recording (tenant, keep_until) where keep_until is not null and expired_at is null;
`

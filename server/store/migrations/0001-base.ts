import { randomBytes } from 'node:crypto'
import type { Migration } from '#server/store/migrate.ts'

/** Roles, the wall between companies, and the tables of the first day. */
export const base: Migration = {
  name: '0001-base',
  async up(client) {
    await client.query(roles)
    await client.query(wall)
    await client.query('insert into wall (key) values ($1)', [randomBytes(32)])
    await client.query(tables)
    await client.query(history)
  },
}

const roles = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'centrala_tenant') then create role centrala_tenant nologin; end if;
  if not exists (select from pg_roles where rolname = 'centrala_system') then create role centrala_system nologin; end if;
  -- Where the server comes in as the owner, it takes these roles on by SET ROLE.
  execute format('grant centrala_tenant, centrala_system to %I', current_user);
end $$;
grant usage on schema centrala to centrala_tenant, centrala_system;
`

const wall = `
create table wall (key bytea not null);

create function wall_signature(subject text) returns text language sql stable security definer set search_path = pg_catalog as $$
  select encode(sha256(key || sha256(key || convert_to(subject, 'UTF8'))), 'hex') from centrala.wall
$$;
revoke all on function wall_signature(text) from public;

create function wall_tenant() returns text language plpgsql stable security definer set search_path = pg_catalog as $$
declare
  pass text := current_setting('app.tenant', true);
  subject text := split_part(coalesce(pass, ''), ':', 1);
begin
  if subject <> '' and split_part(pass, ':', 2) = centrala.wall_signature('tenant:' || subject) then return subject; end if;
  return null;
end $$;

create function wall_everyone() returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  return coalesce(current_setting('app.everyone', true) = centrala.wall_signature('everyone'), false);
end $$;

-- Puts the wall around a table; \`owner\` is the column that names the company.
create procedure wall_in(name text, owner text) language plpgsql as $$
begin
  execute format('alter table %I enable row level security', name);
  execute format('alter table %I force row level security', name);
  execute format('create policy tenant_wall on %I to centrala_tenant using (%I = (select wall_tenant())) with check (%I = (select wall_tenant()))', name, owner, owner);
  execute format('create policy system_door on %I to centrala_system using ((select wall_everyone())) with check ((select wall_everyone()))', name);
  execute format('grant select, insert, update, delete on %I to centrala_tenant, centrala_system', name);
end $$;
revoke all on procedure wall_in(text, text) from public;
`

const tables = `
create table tenant (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  state text not null default 'active',
  created_at timestamptz not null
);
call wall_in('tenant', 'id');

create table config_version (
  tenant text not null references tenant (id),
  version integer not null check (version > 0),
  author text not null,
  comment text not null,
  at timestamptz not null,
  documents jsonb not null,
  primary key (tenant, version)
);
call wall_in('config_version', 'tenant');

create table secret (
  tenant text not null references tenant (id),
  id text not null,
  sealed text not null,
  at timestamptz not null,
  primary key (tenant, id)
);
call wall_in('secret', 'tenant');

create table recording (
  tenant text not null,
  id text not null,
  call text not null,
  started_at timestamptz not null,
  ms integer not null,
  bytes bigint not null,
  path text not null,
  turns jsonb not null,
  gaps jsonb not null,
  mailed_at timestamptz,
  mailed_to text,
  primary key (tenant, id)
);
create index recording_by_time on recording (tenant, started_at desc, id desc);
create index recording_by_call on recording (tenant, call);
call wall_in('recording', 'tenant');

create table job (
  id uuid primary key default gen_random_uuid(),
  tenant text not null,
  kind text not null,
  key text not null,
  payload jsonb not null,
  state text not null default 'waiting',
  attempts integer not null default 0,
  run_at timestamptz not null,
  leased_until timestamptz,
  last_error text,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (tenant, kind, key)
);
create index job_due on job (run_at) where state = 'waiting';
create index job_dead on job (tenant, finished_at desc) where state = 'dead';
create index job_done on job (finished_at) where state = 'done';
call wall_in('job', 'tenant');

create table api_key (
  id uuid primary key default gen_random_uuid(),
  tenant text references tenant (id),
  name text not null,
  prefix text not null,
  hash text not null unique,
  role text not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  check ((tenant is null) = (role = 'operator'))
);
create index api_key_by_tenant on api_key (tenant, created_at desc);
call wall_in('api_key', 'tenant');

create table idempotency_key (
  tenant text not null,
  key text not null,
  fingerprint text not null,
  status integer,
  response jsonb,
  created_at timestamptz not null,
  primary key (tenant, key)
);
create index idempotency_key_by_age on idempotency_key (created_at);
call wall_in('idempotency_key', 'tenant');
`

const history = `
create table fact (
  tenant text not null,
  call text not null,
  seq integer not null,
  at timestamptz not null,
  kind text not null,
  body jsonb not null,
  primary key (tenant, call, seq, at)
) partition by range (at);
call wall_in('fact', 'tenant');
create table fact_other partition of fact default;

create table call (
  tenant text not null,
  id text not null,
  started_at timestamptz not null,
  answered_at timestamptz,
  ended_at timestamptz,
  direction text not null,
  from_number text not null,
  from_name text,
  to_number text not null,
  answered_by jsonb,
  trunk text,
  ring_ms integer not null,
  talk_ms integer not null,
  outcome text not null,
  outcome_by text not null,
  sip integer,
  q850 integer,
  detail text,
  missed boolean not null,
  recordings text[] not null,
  legs jsonb not null,
  participants text[] not null,
  config integer not null,
  rehearsed_at timestamptz,
  recovered boolean not null,
  search text not null,
  primary key (tenant, started_at, id)
) partition by range (started_at);
create index call_by_id on call (tenant, id);
create index call_missed on call (tenant, started_at desc, id desc) where missed;
call wall_in('call', 'tenant');
create table call_other partition of call default;
`

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiClient } from '#tools/lib/api-client.ts'
import { Trouble } from '#tools/lib/trouble.ts'
import { readSettings, type Settings } from '#server/settings.ts'
import { SettingsError } from '#server/settings-reader.ts'

/** The settings of the system in this project's folder. */
export function ownSettings(): Settings {
  try {
    return readSettings({ environment: process.env, project: join(import.meta.dirname, '..', '..') })
  } catch (fault) {
    if (fault instanceof SettingsError) throw new Trouble(fault.message)
    throw fault
  }
}

/** Why nothing can be done without the system. */
export function notRunning(settings: Settings): Trouble {
  return new Trouble(`Centrala does not run with the data in ${settings.folders.data}.\nStart it in another terminal: npm start`)
}

/**
 * The API of the system in this project's folder, with the operator's key that lies beside its data: who may read the folder owns the machine.
 * `company`: by id; without it the only one there is.
 */
export async function openApi(settings: Settings, company?: string): Promise<ApiClient> {
  const key = await readFile(join(settings.folders.data, 'operator.key'), 'utf8').catch(() => null)
  if (key === null) throw notRunning(settings)
  const address = settings.http.address.replace('0.0.0.0', '127.0.0.1')
  const at = {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${settings.http.port}`,
    key: key.trim(),
    away: () => notRunning(settings),
  }
  return new ApiClient({ ...at, company: company ?? (await onlyCompany(new ApiClient({ ...at, company: null }))) })
}

async function onlyCompany(api: ApiClient): Promise<string> {
  const { companies } = await api.get<{ companies: { id: string }[] }>('/v1/companies')
  const [first, ...others] = companies
  if (first === undefined) throw new Trouble('There is no company yet.')
  if (others.length > 0) throw new Trouble(`Say which company, with --company: ${companies.map(({ id }) => id).join(', ')}`)
  return first.id
}

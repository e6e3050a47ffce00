import { parseArgs } from 'node:util'
import { openApi, ownSettings } from '#tools/lib/installation.ts'
import { runCommand } from '#tools/lib/trouble.ts'

const usage = `Usage: npx centrala certificates            shows the certificates that phones and carriers see over TLS
       npx centrala certificates reload     takes up their files as they are now; no call is dropped
       npx centrala certificates authority  prints the authority that phones have to trust, as PEM text`

interface Shown {
  certificates: { subject: string; issuer: string; serial: string; names: string[]; to: number; source: 'made' | 'file' }[]
  authority: string | null
  troubles: string[]
}

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  })
  const [what = 'show', ...more] = positionals
  if (values.help || more.length > 0 || !['show', 'reload', 'authority'].includes(what)) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const api = await openApi(ownSettings(), undefined)
  const shown = what === 'reload' ? await api.send<Shown>('POST', '/v1/certificates/reload', {}) : await api.get<Shown>('/v1/certificates')
  if (what === 'authority') {
    console.log(shown.authority ?? 'The certificates are your own; who vouches for them is not ours to say.')
    return shown.authority === null ? 1 : 0
  }
  for (const { subject, issuer, serial, names, to, source } of shown.certificates) {
    console.log(`${subject}, by ${issuer} (${source === 'made' ? 'made by Centrala' : 'from a file'})`)
    console.log(`  serial ${serial}, until ${new Date(to).toISOString().slice(0, 10)}`)
    console.log(`  for ${names.join(', ')}`)
  }
  for (const trouble of shown.troubles) console.error(trouble)
  return shown.troubles.length > 0 ? 1 : 0
}

await runCommand(main)

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Finding } from '#contract/api/operation.ts'
import { ownerOfUdpPort } from '#media/socket/port-owner.ts'
import { bad, warning } from '#server/doctor/findings.ts'
import { examineMachine } from '#server/doctor/machine.ts'
import type { Settings } from '#server/settings.ts'
import { ApiClient } from '#tools/lib/api-client.ts'
import { notRunning, ownSettings } from '#tools/lib/installation.ts'
import { runCommand } from '#tools/lib/trouble.ts'

const usage = `Usage: npx centrala doctor [--json]

Examines the installation: ports, addresses, certificates, names, trunks, mail, disk, clock, database, an echo call. For each finding it says what is
wrong and what to do. While the system is stopped only the machine can be examined. The exit code is 1 when something is bad.`

async function main(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const findings = await findingsOf(ownSettings())
  if (values.json) console.log(JSON.stringify({ findings }, null, 2))
  else print(findings)
  return findings.some(({ state }) => state === 'bad') ? 1 : 0
}

async function findingsOf(settings: Settings): Promise<Finding[]> {
  const running = await askServer(settings).catch((fault: unknown) => (fault instanceof Error ? fault.message : String(fault)))
  if (typeof running !== 'string') return running
  const [first = ''] = running.split('\n')
  const down = bad(
    'server',
    first,
    'Start it with npm start, and look at the last lines of its log; the rest of this report is about the machine alone.',
  )
  const owner = await ownerOfUdpPort(settings.sip.port)
  const port =
    owner === null
      ? []
      : [warning('ports', `UDP port ${settings.sip.port} is taken by ${owner}`, 'Stop that program, or set CENTRALA_SIP_PORT.')]
  return [down, ...port, ...(await examineMachine(settings))]
}

async function askServer(settings: Settings): Promise<Finding[]> {
  const key = await readFile(join(settings.folders.data, 'operator.key'), 'utf8').catch(() => null)
  if (key === null) throw notRunning(settings)
  const address = settings.http.address.replace('0.0.0.0', '127.0.0.1')
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${settings.http.port}`
  const api = new ApiClient({ url, key: key.trim(), company: null, away: () => notRunning(settings) })
  return (await api.get<{ findings: Finding[] }>('/v1/doctor')).findings
}

const marks: Readonly<Record<Finding['state'], string>> = { bad: 'BAD ', warning: 'warn', well: 'well' }

/** The worst first. */
function print(findings: readonly Finding[]): void {
  const order = Object.keys(marks)
  const width = Math.max(...findings.map(({ check }) => check.length))
  for (const { state, check, detail, todo } of findings.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))) {
    console.log(`${marks[state]}  ${check.padEnd(width)}  ${detail}`)
    if (todo !== '') console.log(`${' '.repeat(width + 8)}${todo}`)
  }
}

await runCommand(main)

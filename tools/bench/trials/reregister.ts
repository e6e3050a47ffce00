import { devices, documentsFor, domain, passwordOf } from '#tools/bench/company.ts'
import { inHand, untilInHand } from '#tools/bench/trials/figures.ts'
import type { Trial } from '#tools/bench/trials/trial.ts'
import { PhoneFleet } from '#tools/lib/phone-fleet.ts'

const phones = 10_000
const addresses = Array.from({ length: 20 }, (_, i) => `127.0.22.${i + 1}`)

/** Ten thousand phones that all come back at once: after an outage of the network, and after the death of the server. */
export const reregister: Trial = {
  name: 'reregister',
  async run({ system }, { say }) {
    const users = [...devices, ...Array.from({ length: phones - devices.length }, (_, i) => String(2_000 + i))]
    await system.configure(documentsFor(users))
    const [address = '', port = ''] = system.target.split(':')
    await using fleet = await PhoneFleet.open({
      ...{ server: { address, port: Number(port) }, domain, addresses, expires: 3_600 },
      phones: users.map((user) => ({ user, password: passwordOf(user) })),
    })
    say('| outage | all back after | refused or unanswered meanwhile |\n|---|---|---|')
    const tell = (what: string, { ms, failed }: { ms: number; failed: Record<string, number> }): void => {
      const times = Object.entries(failed).map(([why, count]) => `${count} × ${why}`)
      say(`| ${what} | ${(ms / 1000).toFixed(1)} s | ${times.length === 0 ? 'none' : times.join(', ')} |`)
    }
    tell('none: all register for the first time, at once', await fleet.comeBack())
    tell('of the network: all register again at once', await fleet.comeBack())
    process.kill(system.server, 'SIGKILL')
    tell('the server killed, all register again at the same moment', await fleet.comeBack())
    await untilInHand(system, ({ registrations }) => registrations === phones, 5_000)
    say(`\n${(await inHand(system)).registrations} registrations in the end.`)
  },
}

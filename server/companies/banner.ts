import type { ConfigStore } from '#server/config-store/index.ts'
import type { Book, Books } from '#server/dialplan/books.ts'
import { ownAddresses } from '#server/exchange/addresses.ts'
import type { Banner } from '#server/keeper/messages.ts'
import type { Settings } from '#server/settings.ts'
import { secretsOf } from '#server/companies/secrets.ts'
import { demoTenant } from '#server/companies/seed.ts'

/** What a newcomer needs to make a first call: shown at the end of a start. */
export function bannerOf(of: { settings: Settings; configs: ConfigStore; books: Books; signIn: Banner['signIn']; page: string }): Banner {
  const book = of.books.current(demoTenant) ?? [...of.books.all()][0] ?? null
  const number = book === null ? null : mainNumber(book)
  return {
    page: of.page,
    signIn: of.signIn,
    company: book?.config.company.name ?? 'no company yet',
    number,
    extensions: book === null ? [] : phonesOf(book, of.configs),
    domain: book?.config.settled.sipDomain ?? '',
    listening: listening(of.settings),
    hints: number === null ? [] : hintsFor(number),
  }
}

function mainNumber(book: Book): string | null {
  const { company, numbersById, numbers } = book.config
  const main = company.mainNumber === undefined ? undefined : numbersById.get(company.mainNumber)
  return main?.number ?? [...numbers.keys()][0] ?? null
}

/** Passwords are shown for the demo company's phones only: nobody else's belong on a screen. */
function phonesOf(book: Book, configs: ConfigStore): Banner['extensions'] {
  const reveal = secretsOf(configs, book.tenant)
  const shown = book.tenant === demoTenant
  return [...book.config.devices.values()].slice(0, 10).map((device) => ({
    extension: device.extensions[0]?.number ?? device.username,
    name: device.name,
    user: device.username,
    password: shown && device.password !== null ? reveal(device.password) : null,
  }))
}

function listening(settings: Settings): string[] {
  const { addresses, port, ws } = settings.sip
  const wild = addresses.includes('0.0.0.0')
  const hosts = wild ? [...ownAddresses()].filter((address) => !address.includes(':')) : addresses
  return [...hosts.map((host) => `udp and tcp ${host}:${port}`), `ws ${hosts[0] ?? '127.0.0.1'}:${ws.port}${ws.path}`]
}

function hintsFor(number: string): string[] {
  return [
    `Hear it without a phone:  npx centrala call ${number}`,
    `At another time:          npx centrala call ${number} --at 2026-11-21T20:00`,
    'A phone that rings:       npx centrala phone 100',
  ]
}

import type { Banner } from '#server/keeper/messages.ts'

/** What `npm start` prints for a newcomer when the system can be called. */
export function bannerText(banner: Banner): string {
  const rows: [string, string][] = [['page', banner.page]]
  if (banner.signIn !== null) rows.push(['sign in', `${banner.signIn.user} / ${banner.signIn.password}`])
  if (banner.number !== null) rows.push(['number', banner.number])
  for (const each of banner.extensions) {
    const password = each.password === null ? '' : `, password ${each.password}`
    rows.push([`extension ${each.extension}`, `${each.name}: user ${each.user}${password}`])
  }
  rows.push(['domain', banner.domain], ['phones reach it at', banner.listening.join(', ')])
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
  const hints = banner.hints.map((hint) => `  ${hint}`)
  return ['', `Centrala serves ${banner.company}.`, '', ...lines, ...(hints.length > 0 ? ['', ...hints] : []), ''].join('\n')
}

import { dialects } from '#server/trunks/dialects.ts'

/** Lists the dialects that a trunk may name, with what each settles and why. Needs no running system. */
for (const { name, title, date, reason, settings } of dialects) {
  console.log(`${name}: ${title} (as of ${date})`)
  console.log(`  ${reason}`)
  for (const [field, value] of Object.entries(settings)) console.log(`  ${field}: ${JSON.stringify(value)}`)
  console.log('')
}

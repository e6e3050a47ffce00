import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '#base/clock.ts'
import { describeBadSound, readSound } from '#media/file/read-sound.ts'
import type { PlayItem } from '#media/engine.ts'
import type { PhoneManner, PhoneSpec } from '#tools/lib/soft-phone.ts'
import { openApi, ownSettings } from '#tools/lib/installation.ts'
import { bringUp, credentialsOf, noticeText, ownServer } from '#tools/lib/phones.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'
import { keys, seconds, timed } from '#tools/lib/words.ts'

const usage = `Usage: npx centrala phone <extension> [options]

A phone in the terminal: registers, rings, answers, until Ctrl-C.

  --answer 3            answers after so many seconds (default 3), or never
  --play file.wav       what it says, over and over (default: a beep each second)
  --digits 1@2          presses keys so many seconds after the answer (may be repeated; default 1 s)
  --hang-up-after 30    hangs up so many seconds after the answer (default: never)
  --save heard.wav      keeps what it hears, heard.wav, heard-2.wav, ... for further calls
  --transport udp|tcp   (default udp)
  --server host:port    another server than the one in this folder; then with --user, --password and --domain
  --user, --password, --domain
  --company demo        where there are several`

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      answer: { type: 'string', default: '3' },
      play: { type: 'string' },
      digits: { type: 'string', multiple: true, default: [] },
      'hang-up-after': { type: 'string' },
      save: { type: 'string' },
      transport: { type: 'string', default: 'udp' },
      server: { type: 'string' },
      user: { type: 'string' },
      password: { type: 'string' },
      domain: { type: 'string' },
      company: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help || positionals.length !== 1) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const extension = positionals[0] ?? ''
  const transport = transportOf(values.transport)
  const hangUpAfter = values['hang-up-after']
  const { save } = values
  const manner: PhoneManner =
    values.answer === 'never' ? { kind: 'rings' } : { kind: 'answers', afterMs: seconds(values.answer, '--answer') * 1000 }
  const stopped = Promise.withResolvers<void>()
  process.on('SIGINT', () => stopped.resolve())
  process.on('SIGTERM', () => stopped.resolve())
  await using _ = await bringUp(
    {
      ...(await accountOf(extension, transport, values)),
      manner: () => manner,
      script: {
        digits: values.digits.map((word) => timed(word, 1)).map(({ what, atMs }) => ({ digits: keys(what, '--digits'), atMs })),
        plays: [],
        hangUpAfterMs: hangUpAfter === undefined ? null : seconds(hangUpAfter, '--hang-up-after') * 1000,
      },
      says: values.play === undefined ? beeps : [{ kind: 'file', file: await soundFile(values.play) }],
      tape: save === undefined ? null : (call) => numbered(resolve(save), call),
    },
    (notice) => {
      console.log(`${clockTime()}  ${extension} ${noticeText(notice)}`)
      if (notice.kind === 'ended' && notice.tape !== null) console.log(`${clockTime()}  heard: ${notice.tape}`)
    },
  )
  await stopped.promise
  return 0
}

/** A sign of life that anybody recognises. */
const beeps: readonly PlayItem[] = [
  { kind: 'tone', tone: 'beep', ms: 400 },
  { kind: 'silence', ms: 600 },
]

interface Account {
  server?: string | undefined
  user?: string | undefined
  password?: string | undefined
  domain?: string | undefined
  company?: string | undefined
}

/** What was given counts; the rest is asked of the system in this folder. */
async function accountOf(
  extension: string,
  transport: 'udp' | 'tcp',
  given: Account,
): Promise<Pick<PhoneSpec, 'server' | 'user' | 'password' | 'domain'>> {
  if (given.server !== undefined) {
    const { password, domain } = given
    if (password === undefined || domain === undefined) throw new Trouble('--server needs --password and --domain: nobody else knows them.')
    return { server: { transport, ...hostAndPort(given.server) }, user: given.user ?? extension, password, domain }
  }
  const settings = ownSettings()
  const known = await credentialsOf(await openApi(settings, given.company), extension)
  const { user = known.user, password = known.password, domain = known.domain } = given
  return { server: ownServer(settings, transport), user, password, domain }
}

function transportOf(word: string): 'udp' | 'tcp' {
  if (word === 'udp' || word === 'tcp') return word
  throw new Trouble(`--transport: expected udp or tcp, found "${word}"`)
}

function hostAndPort(word: string): { address: string; port: number } {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(word)
  const address = found?.[1] ?? found?.[2]
  if (address === undefined) throw new Trouble(`--server: expected an address such as 192.0.2.1:5060, found "${word}"`)
  return { address, port: Number(found?.[3] ?? 5060) }
}

async function soundFile(word: string): Promise<string> {
  const file = resolve(word)
  const sound = await readSound(file)
  if (sound.kind === 'bad-sound') throw new Trouble(`--play ${describeBadSound(sound)}`)
  return file
}

function numbered(file: string, call: number): string {
  return call === 1 ? file : file.replace(/(\.[^./]*)?$/, `-${call}$1`)
}

function clockTime(): string {
  return Temporal.Instant.fromEpochMilliseconds(systemClock.wall())
    .toZonedDateTimeISO(Temporal.Now.timeZoneId())
    .toPlainTime()
    .toString({ smallestUnit: 'millisecond' })
}

await runCommand(main)

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Phone, PhoneOptions } from '#test/support/phone.ts'
import { sizeOf, until } from '#test/support/sounds.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { Transcript } from '#test/support/transcript.ts'

const program = '/usr/bin/linphonec'

/** Why tests with linphone cannot run here, or false. */
export const noLinphone = existsSync(program) ? false : `${program} is not installed`

/** A linphone on the command line, which plays a file to whoever it talks with and records what it hears. `said` is what it prints. */
export class Linphone implements Phone {
  readonly name: string
  readonly said: Transcript
  readonly #options: PhoneOptions
  readonly #recording: string
  readonly #child: ChildProcess
  readonly #exited: Promise<void>

  private constructor(options: PhoneOptions) {
    const { folder } = options
    this.name = `linphone ${options.user}`
    this.said = new Transcript(this.name)
    this.#options = options
    this.#recording = join(folder, 'heard.wav')
    const child = spawn(program, ['-c', join(folder, 'linphonerc')], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: folder },
    })
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => this.said.push(line))
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()))
    void this.#exited.then(() => this.said.end('it ended'))
  }

  /** Starts it and waits until it is registered. */
  static async start(options: PhoneOptions): Promise<Linphone> {
    await mkdir(join(options.folder, '.local', 'share', 'linphone'), { recursive: true })
    await writeFile(join(options.folder, 'linphonerc'), settingsOf(options))
    const phone = new Linphone(options)
    try {
      await until(`${phone.name} is registered`, async () => /registered, identity=/.test(await phone.#status()))
      phone.#type('soundcard use files')
      // 5.1.65 takes comfort noise, but dies of looking for silence in a file that it plays.
      if (options.comfortNoise !== true) phone.#type(`play ${options.plays}`)
      phone.#type(`record ${phone.#recording}`)
      return phone
    } catch (fault) {
      await phone[Symbol.asyncDispose]()
      throw fault
    }
  }

  async call(number: string): Promise<void> {
    const from = this.said.mark
    this.#type(`call ${number}`)
    await this.said.next(/^(linphonec> )?Call \d+ to .* in progress/, from)
  }

  async incoming(from: number): Promise<void> {
    await this.said.next(/Receiving new incoming call from/, from)
  }

  async answer(): Promise<void> {
    this.#type('answer')
    await Promise.resolve()
  }

  async talking(from: number): Promise<void> {
    await this.said.next(/Media streams established/, from)
  }

  /** Resolves when the call is over: only then its recording is complete. */
  async hangUp(): Promise<void> {
    const from = this.said.mark
    this.#type('terminate')
    await this.ended(from)
  }

  async ended(from: number): Promise<string> {
    return this.said.next(/Call \d+ (with|to|from) .* (ended|error|busy|declined)/, from)
  }

  async hold(): Promise<void> {
    const from = this.said.mark
    this.#type('pause')
    await this.said.next(/is now paused/, from)
  }

  async resume(): Promise<void> {
    const from = this.said.mark
    this.#type('resume')
    await this.talking(from)
  }

  async transfer(number: string): Promise<void> {
    this.#type(`transfer sip:${number}@${this.#options.server}`)
    await Promise.resolve()
  }

  /** Sends a message to an extension. */
  async write(number: string, text: string): Promise<void> {
    this.#type(`chat sip:${number}@${this.#options.server} "${text}"`)
    await Promise.resolve()
  }

  /** Attended: of its two calls, whose numbers it gives in order, it connects the other parties. */
  async connect(first: number, second: number): Promise<void> {
    this.#type(`transfer ${first} --to-call ${second}`)
    await Promise.resolve()
  }

  async press(digits: string): Promise<void> {
    for (const digit of digits) this.#type(digit)
    await Promise.resolve()
  }

  /** What it prints of the calls it has had. */
  async callLog(): Promise<string[]> {
    const from = this.said.mark
    this.#type('call-logs')
    await this.#status()
    return this.said.lines.slice(from)
  }

  async hears(ms: number): Promise<void> {
    const before = await sizeOf(this.#recording)
    await until(`${this.name} hears ${ms} ms more`, async () => (await sizeOf(this.#recording)) - before >= ms * 16)
  }

  async recordings(): Promise<string[]> {
    return (await sizeOf(this.#recording)) > 44 ? [this.#recording] : []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#type('quit')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await this.#exited
    clearTimeout(timer)
    if (this.#options.transport === 'udp') await this.#forgotten()
  }

  /** When it has said nothing for 5 s, linphone 5.1.65 leaves without unregistering: whoever is called next would be looked for there. */
  async #forgotten(): Promise<void> {
    const { user, password, server } = this.#options
    const [domain = '', port] = server.split(':')
    await using phone = await WirePhone.open({ user, domain, password }, { address: domain, port: Number(port) })
    const said = { to: `<${phone.aor}>`, headers: ['Contact: *', 'Expires: 0'] }
    const { first } = await phone.request('REGISTER', `sip:${domain}`, said)
    if (!first.startsWith('SIP/2.0 200')) throw new Error(`${this.name} stays registered: ${first}`)
  }

  async #status(): Promise<string> {
    const from = this.said.mark
    this.#type('status register')
    return this.said.next(/registered(, identity=|=)/, from)
  }

  #type(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }
}

/** Its TLS library knows no certificates for IP addresses, so it sees to who vouches alone. */
function settingsOf({
  user,
  password,
  server,
  transport,
  port,
  infoDigits,
  authorities,
  encryption,
  watches = [],
  comfortNoise,
}: PhoneOptions): string {
  const host = server.split(':')[0] ?? server
  return `
[sip]
sip_port=${transport === 'udp' ? port : 0}
sip_tcp_port=${transport === 'tcp' ? port : 0}
sip_tls_port=${transport === 'tls' ? port : 0}
verify_server_certs=1
verify_server_cn=0
${authorities === undefined ? '' : `root_ca=${authorities}`}
bind_address=127.0.0.1
guess_hostname=0
contact=sip:${user}@127.0.0.1
default_proxy=0
${encryption === undefined ? '' : `media_encryption=srtp\nmedia_encryption_mandatory=${encryption === 'required' ? 1 : 0}`}
use_info=${infoDigits === true ? 1 : 0}
use_rfc2833=${infoDigits === true ? 0 : 1}
[rtp]
audio_rtp_port=${port + 10}
[sound]
echocancellation=0
[misc]
use_cn=${comfortNoise === true ? 1 : 0}
version_check_url_root=
[proxy_0]
reg_proxy=<sip:${server};transport=${transport}>
reg_identity=sip:${user}@${server}
reg_expires=600
reg_sendregister=1
publish=0
[auth_info_0]
username=${user}
passwd=${password}
domain=${host}
${watches.map((name, i) => `[friend_${i}]\nurl="${name}" <sip:${name}@${server}>\npol=accept\nsubscribe=1\n`).join('')}`
}

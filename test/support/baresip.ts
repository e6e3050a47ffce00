import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sizeOf, until } from '#test/support/sounds.ts'
import type { Phone, PhoneOptions } from '#test/support/phone.ts'
import { Transcript } from '#test/support/transcript.ts'

const program = '/usr/bin/baresip'

/** Why tests with baresip cannot run here, or false. */
export const noBaresip = existsSync(program) ? false : `${program} is not installed`

/**
 * A baresip, which plays a file to whoever it talks with and records what it hears. It is told what to do through its module ctrl_tcp,
 * and what happens to it is in `said`: `REGISTER_OK`, `CALL_INCOMING`, `CALL_ESTABLISHED`, `CALL_CLOSED 486 Busy Here`.
 */
export class Baresip implements Phone {
  readonly name: string
  readonly said: Transcript
  /** What it printed, its SIP messages among it. */
  readonly printed: Transcript
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #control: Socket
  readonly #exited: Promise<void>
  #unread = Buffer.alloc(0)

  private constructor(options: PhoneOptions, child: ChildProcess, control: Socket, printed: Transcript) {
    this.name = `baresip ${options.user}`
    this.said = new Transcript(this.name)
    this.printed = printed
    this.#folder = options.folder
    this.#child = child
    this.#control = control
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()))
    control.on('data', (bytes: Buffer) => this.#read(bytes))
    control.on('error', () => undefined)
    void this.#exited.then(() => this.said.end('it ended'))
  }

  /** Starts it and waits until it is registered. */
  static async start(options: PhoneOptions): Promise<Baresip> {
    const { folder, port } = options
    await mkdir(folder, { recursive: true })
    // The port above that of SIP is taken by its TLS.
    const controlPort = port + 2
    await writeFile(join(folder, 'config'), configOf(options, controlPort))
    await writeFile(join(folder, 'accounts'), accountOf(options))
    const contacts = (options.watches ?? []).map((name) => `"${name}" <sip:${name}@${options.server}>;presence=p2p\n`)
    await writeFile(join(folder, 'contacts'), contacts.join(''))
    const printed = new Transcript(`baresip ${options.user}`)
    // It takes the end of its input for the wish to end.
    const child = spawn(program, ['-f', folder, '-s', '-v'], { stdio: ['pipe', 'pipe', 'pipe'] })
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => printed.push(line))
    child.once('exit', () => printed.end('it ended'))
    try {
      await printed.next(/ctrl_tcp: TCP socket listening/)
      const control = await dial(controlPort)
      await printed.next(/registered successfully/)
      return new Baresip(options, child, control, printed)
    } catch (fault) {
      child.kill('SIGKILL')
      throw fault
    }
  }

  async call(number: string): Promise<void> {
    await this.#command('dial', number)
  }

  async incoming(from: number): Promise<void> {
    await this.said.next(/^CALL_INCOMING/, from)
  }

  async answer(): Promise<void> {
    await this.#command('accept')
  }

  async talking(from: number): Promise<void> {
    await this.said.next(/^CALL_ESTABLISHED/, from)
  }

  async hangUp(): Promise<void> {
    await this.#command('hangup')
  }

  /** Resolves with why the call ended. */
  async ended(from: number): Promise<string> {
    return this.said.next(/^CALL_CLOSED/, from)
  }

  async hold(): Promise<void> {
    await this.#command('hold')
  }

  async resume(): Promise<void> {
    await this.#command('resume')
  }

  async transfer(number: string): Promise<void> {
    await this.#command('transfer', number)
  }

  /** Says of its person that they are there, or not. It must have been started to publish that. */
  async saysPresence(isThere: boolean): Promise<void> {
    await this.#command(isThere ? 'presence_online' : 'presence_offline')
  }

  async press(digits: string): Promise<void> {
    for (const digit of digits) await this.#command('sndcode', digit)
  }

  /** A file per stretch between two changes of the stream. Complete once the call is over. */
  async recordings(): Promise<string[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith('-dec.wav')).toSorted()
    return names.map((name) => join(this.#folder, name))
  }

  async hears(ms: number): Promise<void> {
    const size = async (): Promise<number> =>
      (await Promise.all((await this.recordings()).map(sizeOf))).reduce((sum, each) => sum + each, 0)
    const before = await size()
    await until(`${this.name} hears ${ms} ms more`, async () => (await size()) - before >= ms * 16)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control.destroy()
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3_000)
    await this.#exited
    clearTimeout(timer)
  }

  async #command(command: string, params = ''): Promise<void> {
    const token = String(this.said.mark)
    const from = this.said.mark
    this.#control.write(netstring(JSON.stringify({ command, params, token })))
    await this.said.next(/^response/, from)
  }

  #read(bytes: Uint8Array): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    for (;;) {
      const colon = this.#unread.indexOf(':')
      const length = Number(this.#unread.toString('latin1', 0, Math.max(colon, 0)))
      if (colon < 1 || this.#unread.length < colon + 2 + length) return
      const text = this.#unread.toString('utf8', colon + 1, colon + 1 + length)
      this.#unread = this.#unread.subarray(colon + 2 + length)
      this.said.push(lineOf(JSON.parse(text) as Message))
    }
  }
}

/** A message of ctrl_tcp: an event, or the response to a command. */
interface Message {
  response?: boolean
  ok?: boolean
  data?: string
  type?: string
  param?: string
}

function lineOf({ response, ok, data, type, param }: Message): string {
  const words = response === true ? ['response', String(ok), data] : [type, param]
  return words.filter((word) => word !== undefined && word !== '').join(' ')
}

/** A netstring: the length in octets, a colon, the text, a comma. */
function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).once('error', reject)
  })
}

/** By the names that baresip gives them. */
const codecs = { PCMA: 'PCMA/8000/1', PCMU: 'PCMU/8000/1', G722: 'G722/16000/1', opus: 'opus/48000/2' } as const

function accountOf(options: PhoneOptions): string {
  const { user, password, server, transport, codec = 'PCMA', ptimeMs = 20, encryption, publishes, outbound } = options
  const media = encryption === undefined ? '' : `;mediaenc=${encryption === 'required' ? 'srtp-mand' : 'srtp'}`
  const flow = outbound === true ? `;sipnat=outbound;outbound="sip:${server};transport=${transport}"` : ''
  return `<sip:${user}@${server};transport=${transport}>;auth_pass=${password};regint=600;answermode=manual;audio_codecs=${codecs[codec]};ptime=${ptimeMs}${media}${flow}${publishes === true ? ';pubint=600' : ''}\n`
}

/** Without a sound card: aufile is the microphone, aubridge a loudspeaker that nobody hears, and sndfile writes down what comes in. */
function configOf(options: PhoneOptions, controlPort: number): string {
  const { folder, port, plays, server, authorities, watches, publishes, outbound, calls = 4 } = options
  const isV6 = server.startsWith('[')
  return `
sip_listen ${isV6 ? '[::1]' : '127.0.0.1'}:${port}
${authorities === undefined ? '' : `sip_cafile ${authorities}`}
${isV6 ? 'prefer_ipv6 yes\nnet_interface ::1' : 'net_interface 127.0.0.1'}
ctrl_tcp_listen 127.0.0.1:${controlPort}
rtp_ports ${port + 10}-${port + 30}
audio_source aufile,${plays}
audio_player aubridge,speaker
audio_alert aubridge,bell
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
snd_path ${folder}
call_max_calls ${calls}
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module srtp.so
module g722.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
${outbound === true ? 'module_tmp uuid.so\n' : ''}module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
${watches === undefined && publishes !== true ? '' : 'module_app contact.so\nmodule_app presence.so\nmodule_app mwi.so\n'}`
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { untilAnswered } from '#test/trunks/until-answered.ts'

const program = ['kamailio', '/usr/sbin/kamailio'].find((each) => spawnSync(each, ['-v']).error === undefined)

/** How Kamailio is called here. */
export const kamailioProgram = program ?? 'kamailio'

/** Why tests with Kamailio cannot run here; false when they can. */
export const withoutKamailio: string | false = program === undefined ? 'kamailio is not installed (Debian: kamailio)' : false

export interface KamailioOptions {
  address: string
  port: number
  /** The exchange behind it. */
  behind: { address: string; port: number }
  /** User part of the account that registers. */
  account: string
}

/** Kamailio as a carrier's registrar and proxy. It forgets everything when it ends. */
export class Kamailio implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(folder: string, options: KamailioOptions) {
    this.#folder = folder
    const { address, port, behind, account } = options
    const words = [
      `LISTEN=udp:${address}:${port}`,
      `LISTEN_AT=${address}:${port}`,
      `BEHIND_ADDRESS=${behind.address}`,
      `BEHIND="sip:${behind.address}:${behind.port}"`,
      `ACCOUNT="${account}"`,
    ]
    const own = ['-f', join(import.meta.dirname, 'kamailio.cfg'), '-DD', '-E', '-m', '16', '-M', '4', '-Y', folder, '-w', folder]
    this.#child = spawn(kamailioProgram, [...own, ...words.flatMap((word) => ['-A', word])], { stdio: 'ignore' })
  }

  /** Ready when it returns. */
  static async start(options: KamailioOptions): Promise<Kamailio> {
    const kamailio = new Kamailio(await mkdtemp(join(tmpdir(), 'kamailio-')), options)
    await untilAnswered(options)
    return kamailio
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    // Its children go with it, not with SIGKILL.
    this.#child.kill('SIGTERM')
    if (this.#child.exitCode === null) await exited
    await rm(this.#folder, { recursive: true, force: true })
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kamailioProgram } from '#test/trunks/kamailio.ts'
import { untilAnswered } from '#test/trunks/until-answered.ts'

/** Kamailio as the edge proxy between phones and the exchange. */
export class EdgeProxy implements AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(folder: string, at: { address: string; port: number }, inside: { address: string; port: number }) {
    this.#folder = folder
    this.address = at.address
    this.port = at.port
    const words = [`LISTEN=udp:${at.address}:${at.port}`, `INSIDE_PORT=${inside.port}`, `INSIDE="sip:${inside.address}:${inside.port}"`]
    const own = ['-f', join(import.meta.dirname, 'edge.cfg'), '-DD', '-E', '-m', '16', '-M', '4', '-Y', folder, '-w', folder]
    this.#child = spawn(kamailioProgram, [...own, ...words.flatMap((word) => ['-A', word])], { stdio: 'ignore' })
  }

  /** Ready when it returns. */
  static async start(at: { address: string; port: number }, inside: { address: string; port: number }): Promise<EdgeProxy> {
    const edge = new EdgeProxy(await mkdtemp(join(tmpdir(), 'edge-')), at, inside)
    await untilAnswered(at)
    return edge
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    // Its children go with it, not with SIGKILL.
    this.#child.kill('SIGTERM')
    if (this.#child.exitCode === null) await exited
    await rm(this.#folder, { recursive: true, force: true })
  }
}

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'

const dayMs = 86_400_000
const validity = (): { from: number; to: number } => ({ from: Date.now() - dayMs, to: Date.now() + 90 * dayMs })

/** A certificate of the operator's as files, as an ACME client would put them. */
export class CertificateFiles implements AsyncDisposable {
  readonly folder: string
  readonly certificate: string
  readonly key: string
  /** PEM file of who vouches. */
  readonly authorities: string
  readonly #authority = makeAuthority('Test authority', validity())

  private constructor(folder: string) {
    this.folder = folder
    this.certificate = join(folder, 'fullchain.pem')
    this.key = join(folder, 'privkey.pem')
    this.authorities = join(folder, 'ca.pem')
  }

  static async make(): Promise<CertificateFiles> {
    const files = new CertificateFiles(await mkdtemp(join(tmpdir(), 'centrala-certificate-')))
    await writeFile(files.authorities, files.#authority.chain)
    await files.renew()
    return files
  }

  /** PEM text of who vouches. */
  get ca(): string {
    return this.#authority.chain
  }

  /** Settings that make a system show it. */
  get settings(): Record<string, string> {
    return { CENTRALA_TLS_CERTIFICATE: this.certificate, CENTRALA_TLS_KEY: this.key }
  }

  /** A new key and certificate in place of what is there. */
  async renew(names: readonly string[] = ['127.0.0.1', '::1', 'localhost']): Promise<void> {
    const { key, chain } = issueFor(names, validity(), this.#authority)
    await this.#put(this.certificate, chain)
    await this.#put(this.key, key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  async #put(path: string, text: string): Promise<void> {
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }
}

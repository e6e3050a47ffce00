import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type * as nodemailer from 'nodemailer'
import type { Clock } from '#base/clock.ts'
import { MailError, type Mailer, type MailMessage, type SmtpPolicy, type SmtpServer } from '#server/mail/face.ts'
import { isTenantId, type TenantId } from '#server/store/index.ts'

export interface MailerSettings {
  readonly smtp: SmtpPolicy
  readonly clock: Clock
  /** Each company's messages are files in its folder below this one while it has no mail server. */
  readonly outbox: string
}

/** How long a mail server may say nothing: to connect, to greet, and while it talks. */
const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 60_000, dnsTimeout: 10_000 }

type Library = Pick<typeof nodemailer, 'createTransport'>

/** Loaded with the first message: it brings an HTTP client along, 4 MB that most systems never use. */
const library = (): Promise<Library> => import('nodemailer')

/** Sends by SMTP or into the outbox folder. */
export function openMailer(settings: MailerSettings): Mailer {
  return new SmtpMailer(settings)
}

class SmtpMailer implements Mailer {
  #settings: MailerSettings
  /** One transport per company, with the settings it was made of. */
  #transports = new Map<TenantId, { made: string; transport: ReturnType<typeof smtpTransport> }>()

  constructor(settings: MailerSettings) {
    this.#settings = settings
  }

  async send(tenant: TenantId, message: MailMessage): Promise<{ how: 'smtp' | 'outbox'; where: string }> {
    const server = this.#settings.smtp(tenant)
    if (server === null) return { how: 'outbox', where: await this.#file(tenant, message) }
    try {
      await this.#transport(await library(), tenant, server).sendMail(toOptions(message, server.from, this.#settings.clock))
      return { how: 'smtp', where: `${server.host}:${server.port}` }
    } catch (error) {
      const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0
      const isAboutSigningIn = error instanceof Error && 'code' in error && error.code === 'EAUTH'
      throw new MailError(error instanceof Error ? error.message : String(error), code >= 500 && !isAboutSigningIn, error)
    }
  }

  close(): void {
    for (const { transport } of this.#transports.values()) transport.close()
    this.#transports.clear()
  }

  #transport(by: Library, tenant: TenantId, server: SmtpServer) {
    const made = JSON.stringify(server)
    const known = this.#transports.get(tenant)
    if (known?.made === made) return known.transport
    known?.transport.close()
    const transport = smtpTransport(by, server)
    this.#transports.set(tenant, { made, transport })
    return transport
  }

  async #file(tenant: TenantId, message: MailMessage): Promise<string> {
    if (!isTenantId(tenant)) throw new MailError('not a tenant id', true)
    const folder = join(this.#settings.outbox, tenant)
    // Letters carry recordings: nobody else on the machine may read them.
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const stamp = new Date(this.#settings.clock.wall()).toISOString().replace(/[:.]/g, '-')
    const file = join(folder, `${stamp}-${createHash('sha256').update(message.id).digest('hex').slice(0, 8)}.eml`)
    try {
      const { createTransport } = await library()
      const transport = createTransport({ streamTransport: true, buffer: false, newline: 'unix' })
      const { message: bytes } = await transport.sendMail(toOptions(message, `centrala@${tenant}.localhost`, this.#settings.clock))
      await pipeline(bytes, createWriteStream(`${file}.unfinished`))
      await rename(`${file}.unfinished`, file)
    } catch (error) {
      await rm(`${file}.unfinished`, { force: true })
      throw new MailError(`the outbox does not take the message: ${error instanceof Error ? error.message : String(error)}`, false, error)
    }
    return file
  }
}

function smtpTransport({ createTransport }: Library, server: SmtpServer) {
  const auth = server.user === undefined ? {} : { auth: { user: server.user, pass: server.password ?? '' } }
  return createTransport({ host: server.host, port: server.port, secure: server.secure, ...auth, ...timeouts })
}

function toOptions(message: MailMessage, from: string, clock: Clock): nodemailer.SendMailOptions {
  return {
    from,
    to: [...message.to],
    subject: message.subject,
    text: message.text,
    messageId: `<${createHash('sha256').update(message.id).digest('hex').slice(0, 32)}@centrala>`,
    date: new Date(clock.wall()),
    attachments: (message.attachments ?? []).map((attachment) => ({ ...attachment })),
    disableUrlAccess: true,
  }
}

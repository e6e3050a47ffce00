import type { TenantId } from '#server/store/face.ts'

/** Sends mail for a company: by SMTP when it has a server, else into its outbox folder as `.eml` files. */
export interface Mailer {
  /** Resolves when the server has taken the message, or its file is on disk. Rejects with `MailError`. */
  send(tenant: TenantId, message: MailMessage): Promise<{ how: 'smtp' | 'outbox'; where: string }>
  close(): void
}
export interface MailMessage {
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly attachments?: readonly { readonly filename: string; readonly path: string; readonly contentType: string }[]
  /** Makes repeated sending recognisable (Message-ID). */
  readonly id: string
}
/** A company's or the system's mail server; null: the outbox folder. */
export type SmtpPolicy = (tenant: TenantId) => SmtpServer | null
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte; otherwise STARTTLS when offered. */
  readonly secure: boolean
  readonly user?: string
  readonly password?: string
  readonly from: string
}
/** The message was not taken. `permanent`: trying again is no use (5xx). */
export class MailError extends Error {
  override readonly name = 'MailError'
  readonly permanent: boolean
  constructor(message: string, permanent: boolean, cause?: unknown) {
    super(message, { cause })
    this.permanent = permanent
  }
}

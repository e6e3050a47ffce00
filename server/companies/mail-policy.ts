import type { ConfigStore } from '#server/config-store/index.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { SmtpPolicy } from '#server/mail/index.ts'
import type { RecordingMailPolicy } from '#server/recordings/index.ts'
import { secretsOf } from '#server/companies/secrets.ts'

/** Through which mail server a company's letters leave: its own, else the system's, else the outbox folder. */
export function smtpPolicy(books: Books, store: ConfigStore, system: { url: string | null; from: string }): SmtpPolicy {
  const fallback = system.url === null ? null : smtpOf(system.url, system.from)
  return (tenant) => {
    const mail = books.current(tenant)?.config.company.mail
    if (mail?.smtp === undefined) return fallback === null ? null : { ...fallback, from: mail?.from ?? fallback.from }
    const { host, port, security, user, password } = mail.smtp
    const plain = password === undefined ? null : secretsOf(store, tenant)(password)
    return {
      host,
      port: port ?? 587,
      secure: security === 'tls',
      from: mail.from,
      ...(user !== undefined && { user }),
      ...(plain !== null && { password: plain }),
    }
  }
}

function smtpOf(text: string, from: string): NonNullable<ReturnType<SmtpPolicy>> {
  const url = new URL(text)
  const secure = url.protocol === 'smtps:'
  return {
    host: url.hostname,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    from,
    ...(url.username !== '' && { user: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
  }
}

/** In which words a company's recordings are mailed; to whom is decided with each recording. */
export function recordingMailPolicy(books: Books): RecordingMailPolicy {
  return (tenant) => {
    const company = books.current(tenant)?.config.company
    if (company === undefined) return null
    return { to: [], language: company.language.startsWith('ru') ? 'ru' : 'en', timeZone: company.timezone, company: company.name }
  }
}

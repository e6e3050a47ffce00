export * from '#server/mail/face.ts'
export { openMailer, type MailerSettings } from '#server/mail/mailer.ts'

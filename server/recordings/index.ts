export * from '#server/recordings/face.ts'
export { expireRecordings } from '#server/recordings/expire.ts'
export { mailRecording, openRecordings, type RecordingsSettings } from '#server/recordings/recordings.ts'
export { recordingMailJob, type MailJobSettings } from '#server/recordings/mail-job.ts'

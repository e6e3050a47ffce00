export { backup, type BackupReport, type BackupSettings } from '#server/backup/backup.ts'
export { NotEmptyError, restore, type RestoreReport, type RestoreSettings } from '#server/backup/restore.ts'
export { WrongPassphraseError } from '#server/backup/manifest.ts'
export { BadArchiveError } from '#server/backup/tar.ts'

export type { Journal, JournalHealth, JournalSettings, JournalSlice, OpenCall, Position } from '#server/journal/face.ts'
export { openJournal, openJournalOn } from '#server/journal/journal.ts'
export { folderFiles, type JournalFile, type JournalFiles } from '#server/journal/files.ts'
export { FolderInUseError } from '#server/journal/lock.ts'

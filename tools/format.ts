import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

// `npm run format`: rewrites the source in the format of the house.
const project = join(import.meta.dirname, '..')
const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome')
process.exitCode = spawnSync(process.execPath, [biome, 'format', '--write', '.'], { cwd: project, stdio: 'inherit' }).status ?? 1

#!/usr/bin/env node
// The one way in. Written so that a Node too old for the launcher still reads it, and says so instead of stumbling over its syntax.
const neededMajor = 16

if (Number(process.versions.node.split('.')[0]) < neededMajor) {
  process.stderr.write(
    `Centrala brings the Node that it runs on, but to fetch it needs Node ${neededMajor} or newer with its npm; this is ${process.version}. ` +
      'Debian 12 and Ubuntu 24.04 have it as the package npm; for older ones see https://nodejs.org/en/download.\n',
  )
  process.exitCode = 1
} else void start()

async function start() {
  const { launch } = await import('./setup/launcher.mjs')
  process.exitCode = await launch(process.argv.slice(2))
}

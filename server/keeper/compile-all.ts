import { pathToFileURL } from 'node:url'

// Has Node compile every file named, with what they import, and keep that in its cache; none is run. Modules are run only when all of them could be
// linked, and this program asks for something that is not there.

const missing = 'whatIsNotThere'
const imports = process.argv.slice(2).map((file) => `import ${JSON.stringify(pathToFileURL(file).href)}`)
const program = [...imports, `import { ${missing} } from 'node:path'`].join('\n')

try {
  await import(`data:text/javascript,${encodeURIComponent(program)}`)
} catch (fault) {
  if (!(fault instanceof SyntaxError && fault.message.includes(missing))) throw fault
}

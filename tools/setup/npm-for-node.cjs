// Loaded into npm before it runs. npm leaves out, without a word, optional packages that do not declare to work on the Node that npm itself
// runs on, and some of ours are such parts of tools. What counts is the Node that the project is going to run on, which npm brings.
/** @type {{ optionalDependencies: Record<string, string> }} */
const { optionalDependencies } = require('../../package.json')

const version = optionalDependencies[`node-${process.platform}-${process.arch}`]
if (version !== undefined) Object.defineProperty(process, 'version', { value: `v${version}` })

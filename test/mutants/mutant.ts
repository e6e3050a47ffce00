/** One way to break the product, and the test that must notice. */
export interface Mutant {
  /** What is wrong with the product then. */
  name: string
  /** Relative to the project. */
  file: string
  /** Stands in the file exactly once. */
  text: string
  becomes: string
  /** How the path of the program ends that is broken: the processes of the test itself are left alone. */
  in: string
  /** `name`: a regular expression for the names of tests in the file. */
  test: { file: string; name: string }
  /** What the test says that has noticed just this, as `said` puts it: a test that fails for anything else shows nothing. */
  notices: RegExp
}

/** Programs that are broken. */
export const server = 'server/main.ts'
export const engine = 'media/engine/main.ts'

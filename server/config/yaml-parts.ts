import { Lexer, parseAllDocuments, type Document } from 'yaml'

/** One document of a file, and the offset at which its part of the text begins. */
export interface YamlPart {
  at: number
  document: Document.Parsed
}

/** A part that is not given to the parser at all. */
export interface RefusedPart {
  at: number
  rule: 'too-large' | 'too-deep' | 'bad-yaml'
  message: string
}

/** Bounds on one document as text. The largest sensible one, a caller list of 10,000 numbers, has 250,000 characters and 50,000 tokens. */
const limits = { characters: 400_000, tokens: 120_000, depth: 50 } as const

/**
 * The documents of a text, parsed one at a time as they are asked for. A line that begins with `---` begins a document whatever surrounds it
 * (YAML 1.2.2 §9.1.2), so each part is measured and parsed by itself: what would cost the parser more than a moment is refused by its tokens,
 * which cost next to nothing to count.
 */
export function* yamlParts(text: string): Generator<YamlPart | RefusedPart> {
  let at = 0
  for (const mark of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) {
    if (mark.index > at) yield* partsOf(text.slice(at, mark.index), at)
    at = mark.index
  }
  yield* partsOf(text.slice(at), at)
}

function* partsOf(part: string, at: number): Generator<YamlPart | RefusedPart> {
  const refused = measure(part)
  if (refused !== null) {
    yield { ...refused, at: at + refused.at }
    return
  }
  try {
    for (const document of parseAllDocuments(part, { uniqueKeys: false, prettyErrors: false, logLevel: 'silent' })) yield { at, document }
  } catch (error) {
    yield { at, rule: 'bad-yaml', message: `cannot be read: ${error instanceof Error ? error.message : 'unknown'}` }
  }
}

function measure(part: string): RefusedPart | null {
  if (part.length > limits.characters)
    return { at: 0, rule: 'too-large', message: `a document of more than ${limits.characters} characters` }
  const depth = new Depth()
  let [tokens, at] = [0, 0]
  for (const token of new Lexer().lex(part)) {
    if (++tokens > limits.tokens) return { at, rule: 'too-large', message: `a document of more than ${limits.tokens} words and signs` }
    if (depth.after(token) > limits.depth) return { at, rule: 'too-deep', message: `nested deeper than ${limits.depth} levels` }
    if (!isControl(token)) at += token.length
  }
  return null
}

/** How deep the text can be nested at a token: open brackets, and signs that open a block in the same line. Indented blocks are bounded by length. */
class Depth {
  #brackets = 0
  #inLine = 0

  after(token: string): number {
    if (token === '[' || token === '{') this.#brackets++
    else if (token === ']' || token === '}') this.#brackets--
    else if (token.includes('\n')) this.#inLine = 0
    else if (this.#brackets === 0 && (token === '-' || token === '?' || token === ':')) this.#inLine++
    return Math.max(this.#brackets, this.#inLine)
  }
}

/** The lexer's own marks, which stand for no characters of the text. */
const isControl = (token: string) => token === '\u0002' || token === '\u0018' || token === '\u001f' || token === '\u0015'

/** What somebody says of themselves in a PIDF document. */
export interface SaidPresence {
  /** Whether they take calls and messages at all (RFC 3863 §4.1.4); null: not said. */
  readonly open: boolean | null
  /** What they do, a word of RFC 4480 §3.2 (`away`, `meeting`); null: not said. */
  readonly activity: string | null
  /** In their own words, one line; null: none. */
  readonly note: string | null
}

/** RFC 4480 §3.2. `on-the-phone` is left out: we know better. */
const ACTIVITIES: ReadonlySet<string> = new Set(
  (
    'appointment away breakfast busy dinner holiday in-transit looking-for-work lunch meal meeting performance permanent-absence playing ' +
    'presentation shopping sleeping spectator steering travel tv vacation working worship'
  ).split(' '),
)
/** Deeper than any phone writes. */
const DEEPEST = 32
const LONGEST_NOTE = 120

/**
 * Reads application/pidf+xml (RFC 3863) with the activities of RPID (RFC 4480), as phones write it: names by their local part, what is not known
 * is read over, of several tuples one that is open counts. Null for what is no such document. Total, in time linear to its length; entities other
 * than XML's own stay as they are and a document type is refused, so that nothing can be made to grow.
 */
export function readPidf(text: string): SaidPresence | null {
  const reading = new Reading()
  for (let at = 0; at < text.length; ) {
    const part = partAt(text, at)
    if (part === null || !reading.take(part)) return null
    at = part.end
  }
  return reading.result
}

interface Part {
  readonly kind: 'words' | 'tag' | 'nothing'
  readonly text: string
  readonly end: number
}

/** What begins at a place: words up to the next tag, a tag, or a comment. Null for what never ends. */
function partAt(text: string, at: number): Part | null {
  if (text[at] !== '<') {
    const next = text.indexOf('<', at)
    const end = next < 0 ? text.length : next
    return { kind: 'words', text: unescape(text.slice(at, end)), end }
  }
  const closed = (kind: Part['kind'], opening: string, closing: string): Part | null => {
    const last = text.indexOf(closing, at + opening.length)
    return last < 0 ? null : { kind, text: text.slice(at + opening.length, last), end: last + closing.length }
  }
  if (text.startsWith('<!--', at)) return closed('nothing', '<!--', '-->')
  if (text.startsWith('<?', at)) return closed('nothing', '<?', '?>')
  if (text.startsWith('<![CDATA[', at)) return closed('words', '<![CDATA[', ']]>')
  return closed('tag', '<', '>')
}

/** Goes through a document from tag to tag. Each method is false when the document is none. */
class Reading {
  readonly #path: string[] = []
  #begun = false
  #said: SaidPresence = { open: null, activity: null, note: null }

  get result(): SaidPresence | null {
    return this.#begun && this.#path.length === 0 ? this.#said : null
  }

  take({ kind, text }: Part): boolean {
    return kind === 'nothing' || (kind === 'words' ? this.#words(text.trim()) : this.#tag(text))
  }

  #words(words: string): boolean {
    if (words === '') return true
    const { open, note } = this.#said
    const [parent, inner] = [this.#path.at(-2), this.#path.at(-1)]
    if (parent === 'status' && inner === 'basic') this.#said = { ...this.#said, open: open === true || words.toLowerCase() === 'open' }
    if (inner === 'note') this.#said = { ...this.#said, note: note ?? words.replace(/\s+/g, ' ').slice(0, LONGEST_NOTE).toWellFormed() }
    return inner !== undefined
  }

  #tag(tag: string): boolean {
    // A declaration has no such name.
    const [, slash, name] = /^(\/?)(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?=[\s/]|$)/.exec(tag) ?? []
    if (name === undefined) return false
    if (slash === '/') return this.#path.pop() === name
    if (this.#path.length === 0 && (this.#begun || name !== 'presence')) return false
    this.#begun = true
    if (this.#path.at(-1) === 'activities' && ACTIVITIES.has(name)) this.#said = { ...this.#said, activity: this.#said.activity ?? name }
    return tag.endsWith('/') || this.#path.push(name) <= DEEPEST
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescape(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name: string | undefined) => {
    if (name !== undefined) return ENTITIES[name] ?? whole
    const point = decimal === undefined ? parseInt(String(hex), 16) : Number(decimal)
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ''
  })
}

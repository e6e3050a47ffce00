import type { MenuNode } from '#contract/documents/flow.ts'
import type { Extension } from '#contract/documents/people.ts'
import type { FlowBook } from '#flows/book.ts'
import type { Draft } from '#flows/draft.ts'
import type { Move, Next } from '#flows/move.ts'

/** What a menu waits for when its document does not say. */
export const menuDefaults = { retries: 2, silenceSeconds: 5, digitSeconds: 3 } as const

/** The caller arrives: keys pressed ahead are used at once, unless the prompt must be heard. */
export function enterMenu(draft: Draft, node: MenuNode): Next {
  if (node.keyAhead === false) draft.changed.keys = ''
  if (node.bargeIn !== false && draft.run.keys !== '') return useKeys(draft, node, 0, '')
  return say(draft, 0, node.prompts)
}

/** The prompt has ended. */
export function listen(draft: Draft, node: MenuNode, attempt: number): Next {
  if (draft.run.keys !== '') return useKeys(draft, node, attempt, '')
  return wait(draft, attempt, '', node.silenceSeconds ?? menuDefaults.silenceSeconds)
}

/** Takes keys from the buffer until they mean something, or more are needed. */
export function useKeys(draft: Draft, node: MenuNode, attempt: number, before: string): Next {
  let collected = before
  while (draft.run.keys !== '') {
    collected += draft.run.keys[0] ?? ''
    draft.changed.keys = draft.run.keys.slice(1)
    const meaning = meaningOf(draft.book, node, collected, false)
    if (meaning.is !== 'unfinished') return follow(draft, node, attempt, meaning)
  }
  return wait(draft, attempt, collected, node.digitSeconds ?? menuDefaults.digitSeconds)
}

/** Nothing (more) was pressed in time. */
export function runOut(draft: Draft, node: MenuNode, attempt: number, collected: string): Next {
  if (collected === '') return missed(draft, node, attempt, 'silence')
  return follow(draft, node, attempt, meaningOf(draft.book, node, collected, true))
}

/** What keys mean in a menu. */
export type Meaning =
  | { is: 'exit'; key: string; node: string }
  | { is: 'operator' }
  | { is: 'extension'; extension: Extension }
  | { is: 'unfinished' }
  | { is: 'nothing'; why: 'wrong-key' | 'wrong-extension' }

/**
 * What `collected` means. `complete`: no more digits will come. A trailing # ends an extension. Whatever could still become an extension is
 * unfinished, even when it is already a key of the menu.
 */
export function meaningOf(book: FlowBook, node: MenuNode, collected: string, complete: boolean): Meaning {
  const ended = collected.length > 1 && collected.endsWith('#')
  const digits = ended ? collected.slice(0, -1) : collected
  if (node.extensions === true) {
    if (!ended && !complete && couldGrow(book, digits)) return { is: 'unfinished' }
    const extension = book.extensions.get(digits)
    if (extension !== undefined) return { is: 'extension', extension }
  }
  const exit = node.keys[digits]
  if (exit !== undefined) return { is: 'exit', key: digits, node: exit }
  if (digits === '0' && book.company.operator !== undefined) return { is: 'operator' }
  return { is: 'nothing', why: digits.length > 1 ? 'wrong-extension' : 'wrong-key' }
}

function couldGrow(book: FlowBook, digits: string): boolean {
  for (const number of book.extensions.keys()) {
    if (number.length > digits.length && number.startsWith(digits)) return true
  }
  return false
}

function follow(draft: Draft, node: MenuNode, attempt: number, meaning: Meaning): Next {
  switch (meaning.is) {
    case 'exit':
      return { to: 'node', node: meaning.node, via: meaning.key }
    case 'operator':
      return toOperator(draft)
    case 'extension':
      return { to: 'extension', extension: meaning.extension, of: 'menu' }
    default:
      return missed(draft, node, attempt, meaning.is === 'nothing' ? meaning.why : 'wrong-extension')
  }
}

/** A wrong key or silence: the menu again, or its exit once the caller has had their tries. Keys still waiting belong to the mistake. */
function missed(draft: Draft, node: MenuNode, attempt: number, why: 'wrong-key' | 'wrong-extension' | 'silence'): Next {
  const { place } = draft.run
  if (place !== null) draft.tell({ kind: 'menu.missed', flow: place.flow, node: place.node, why, attempt: attempt + 1 })
  draft.changed.keys = ''
  if (attempt < (node.retries ?? menuDefaults.retries)) {
    const sorry = (why === 'silence' ? node.silencePrompts : node.wrongPrompts) ?? []
    return say(draft, attempt + 1, [...sorry, ...node.prompts])
  }
  const exit = why === 'silence' ? (node.silence ?? node.wrong) : node.wrong
  if (exit !== undefined) return { to: 'node', node: exit, via: why === 'silence' ? 'silence' : 'wrong' }
  return toOperator(draft)
}

function toOperator(draft: Draft): Move {
  const { operator } = draft.book.company
  return operator === undefined ? { to: 'end', prompts: [], reason: 'completed' } : { to: 'destination', destination: operator, of: 'menu' }
}

function say(draft: Draft, attempt: number, prompts: readonly string[]): null {
  return draft.become({ name: 'prompting', attempt, play: draft.play(prompts), prompts })
}

function wait(draft: Draft, attempt: number, collected: string, seconds: number): null {
  const timer = draft.token()
  const ms = seconds * 1000
  draft.emit({ kind: 'startTimer', token: timer, ms })
  return draft.become({ name: 'awaiting', timer, ms, attempt, collected })
}

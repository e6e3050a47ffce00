import { type RefObject, useEffect } from 'react'

interface CallKeys {
  /** Holds the calls: their openers have the class `open-call`. */
  main: RefObject<HTMLElement | null>
  /** Keys that are letters may be switched off: whoever dictates types them by accident (WCAG 2.1.4). */
  lettersOn: boolean
  /** Null: nothing is open. */
  onClose: (() => void) | null
}

/** J, K and arrows move among calls, Enter opens (as of any button), Esc closes, / goes to the filter. */
export function useCallKeys({ main, lettersOn, onClose }: CallKeys): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isNotOurs(event)) return
      if (event.key === 'Escape' && onClose !== null) {
        event.preventDefault()
        onClose()
        return
      }
      if (isTyping(event.target)) return
      const root = main.current
      const step = stepOf(event.key, lettersOn, root?.contains(document.activeElement) === true)
      if (step !== 0 && root !== null) {
        event.preventDefault()
        move(root, step)
      } else if (event.key === '/' && lettersOn) {
        event.preventDefault()
        root?.querySelector<HTMLInputElement>('input[type=search]')?.focus()
      }
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [main, lettersOn, onClose])
}

/** Done already, part of a word in the making, or a combination that belongs to the browser. */
function isNotOurs(event: KeyboardEvent): boolean {
  return event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey
}

/** Arrows scroll the page unless the calls have the focus. */
function stepOf(key: string, lettersOn: boolean, isInside: boolean): -1 | 0 | 1 {
  if (isInside && key === 'ArrowDown') return 1
  if (isInside && key === 'ArrowUp') return -1
  if (lettersOn && key.toLowerCase() === 'j') return 1
  if (lettersOn && key.toLowerCase() === 'k') return -1
  return 0
}

function move(root: HTMLElement, step: -1 | 1): void {
  const openers = [...root.querySelectorAll<HTMLElement>('.open-call')]
  const row = document.activeElement?.closest('li')?.querySelector<HTMLElement>('.open-call')
  const at = row == null ? -1 : openers.indexOf(row)
  const next = at < 0 ? openers[0] : openers[at + step]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input:not([type=checkbox]), textarea, select, audio') !== null
}

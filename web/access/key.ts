const place = 'centrala.key'

/** The key of the API: taken once from the address (`#key=…`), then kept for this tab only. Null: somebody has to give one. */
export function takeKey(): string | null {
  const given = keyIn(location.hash)
  if (given !== null) {
    sessionStorage.setItem(place, given)
    // A key must not stay in the address bar, in bookmarks or in the history.
    history.replaceState(null, '', location.pathname + location.search)
  }
  return given ?? sessionStorage.getItem(place)
}

export function keepKey(key: string): void {
  sessionStorage.setItem(place, key)
}

export function forgetKey(): void {
  sessionStorage.removeItem(place)
}

/** The key in a fragment, or in a whole address that somebody pasted. */
export function keyIn(text: string): string | null {
  const fragment = text.slice(text.indexOf('#') + 1)
  const key = new URLSearchParams(fragment).get('key')
  return key === null || key === '' ? null : key
}

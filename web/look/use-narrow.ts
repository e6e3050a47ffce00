import { useSyncExternalStore } from 'react'

const query = '(max-width: 859px)'

function watch(watcher: () => void): () => void {
  const list = matchMedia(query)
  list.addEventListener('change', watcher)
  return () => list.removeEventListener('change', watcher)
}

/** Whether there is room for one column only. */
export function useNarrow(): boolean {
  return useSyncExternalStore(watch, () => matchMedia(query).matches)
}

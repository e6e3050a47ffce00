import { useState } from 'react'

/** A choice of the reader that this browser remembers. */
export function useSetting(name: string, fallback: string): [string, (value: string) => void] {
  const [value, set] = useState(() => localStorage.getItem(`centrala.${name}`) ?? fallback)
  return [
    value,
    (next) => {
      localStorage.setItem(`centrala.${name}`, next)
      set(next)
    },
  ]
}

import { createContext, useContext } from 'react'
import { en } from '#web/words/en.ts'
import { type Times, timesOf } from '#web/words/time.ts'
import type { Words } from '#web/words/words.ts'

/** Whoever reads the page: the language, and times as their company has them. */
export interface Reader {
  words: Words
  times: Times
}

export const ReaderContext = createContext<Reader>({ words: en, times: timesOf('en', 'UTC') })

export function useReader(): Reader {
  return useContext(ReaderContext)
}

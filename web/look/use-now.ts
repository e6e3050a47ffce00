import { useEffect, useState } from 'react'

/** The wall time, anew every `everyMs`. Timers show it, nothing is decided by it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { forgetKey, keepKey, keyIn, takeKey } from '#web/access/key.ts'
import { SignIn } from '#web/access/sign-in.tsx'
import { Page } from '#web/page.tsx'
import { type Reader, ReaderContext } from '#web/look/reader.ts'
import { useSetting } from '#web/look/use-setting.ts'
import { Live } from '#web/realtime/live.ts'
import { choose, localeOf } from '#web/words/language.ts'
import { timesOf } from '#web/words/time.ts'

const keyAtStart = takeKey()

/** Signs in, opens the event stream, and shows what it says. */
export function App() {
  const [key, setKey] = useState(keyAtStart)
  const [wasRefused, setRefused] = useState(false)
  const [language, setLanguage] = useSetting('language', '')
  const words = choose(language === '' ? navigator.languages : [language])
  useEffect(() => void (document.documentElement.lang = words.language), [words])
  useEffect(() => {
    const follow = (): void => {
      // Somebody opened a new address with a key in a tab that has the page already.
      if (keyIn(location.hash) !== null) setKey(takeKey())
    }
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  const leave = (refused: boolean): void => {
    forgetKey()
    setRefused(refused)
    setKey(null)
  }
  if (key === null) {
    return (
      <ReaderContext value={{ words, times: timesOf(localeOf(words, navigator.languages), 'UTC') }}>
        <SignIn
          wasRefused={wasRefused}
          onKey={(given) => {
            keepKey(given)
            setKey(given)
          }}
        />
      </ReaderContext>
    )
  }
  return <SignedIn key={key} secret={key} words={words} onLanguage={setLanguage} onLeave={leave} />
}

interface SignedInProps {
  secret: string
  words: Reader['words']
  onLanguage: (language: string) => void
  onLeave: (refused: boolean) => void
}

function SignedIn({ secret, words, onLanguage, onLeave }: SignedInProps) {
  const [live, setLive] = useState<Live | null>(null)
  useEffect(() => {
    const opened = new Live(secret)
    setLive(opened)
    return () => opened.close()
  }, [secret])
  return live === null ? null : <Watching live={live} words={words} onLanguage={onLanguage} onLeave={onLeave} />
}

function Watching({ live, words, onLanguage, onLeave }: Omit<SignedInProps, 'secret'> & { live: Live }) {
  const seen = useSyncExternalStore(live.watch, live.seen)
  const zone = seen.board?.company.timezone ?? 'UTC'
  const reader = useMemo(() => ({ words, times: timesOf(localeOf(words, navigator.languages), zone) }), [words, zone])
  useEffect(() => {
    if (seen.link === 'closed') onLeave(true)
  }, [seen.link, onLeave])
  return (
    <ReaderContext value={reader}>
      <Page seen={seen} api={live.api} onLanguage={onLanguage} onSignOut={() => onLeave(false)} />
    </ReaderContext>
  )
}

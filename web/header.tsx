import { useState } from 'react'
import type { Snapshot } from '#contract/api/calls.ts'
import { copyText } from '#web/look/copy-text.ts'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'
import { keptTheme, putOn, type Theme, themes } from '#web/look/theme.ts'
import type { Link } from '#web/realtime/event-stream.ts'
import { languages } from '#web/words/language.ts'

interface HeaderProps {
  company: Snapshot['company'] | null
  link: Link
  onLanguage: (language: string) => void
}

export function Header({ company, link, onLanguage }: HeaderProps) {
  const { words } = useReader()
  const { page } = words
  const [theme, setTheme] = useState(keptTheme)
  const choose = (next: Theme): void => {
    putOn(next)
    setTheme(next)
  }
  return (
    <header>
      <img src="/icon.svg" alt="" width="24" height="24" />
      <h1>{company?.name ?? 'Centrala'}</h1>
      {company?.number != null && <Number number={company.number} />}
      <LinkState link={link} />
      <div className="choices">
        <select aria-label={page.languageLabel} value={words.language} onChange={(event) => onLanguage(event.target.value)}>
          {languages.map(({ language, itself }) => (
            <option key={language} value={language} lang={language}>
              {itself}
            </option>
          ))}
        </select>
        <select
          aria-label={page.themeLabel}
          value={theme}
          onChange={(event) => choose(themes.find((each) => each === event.target.value) ?? 'system')}
        >
          {themes.map((each) => (
            <option key={each} value={each}>
              {words.theme[each]}
            </option>
          ))}
        </select>
      </div>
    </header>
  )
}

function Number({ number }: { number: string }) {
  const { page } = useReader().words
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    setCopied(await copyText(number))
    setTimeout(() => setCopied(false), 2_000)
  }
  return (
    <span className="number">
      <span className="unseen">{page.number} </span>
      {number}
      <button type="button" className="quiet square" title={page.copy} aria-label={page.copy} onClick={() => void copy()}>
        <Icon name={copied ? 'done' : 'copy'} />
      </button>
      <span role="status" className="muted">
        {copied && page.copied}
      </span>
    </span>
  )
}

function LinkState({ link }: { link: Link }) {
  const { words } = useReader()
  const shown = link === 'closed' ? 'reconnecting' : link
  return (
    <span className={`chip link-${shown}`} role="status">
      <Icon name={shown === 'live' ? 'done' : 'warn'} /> {words.link[shown]}
    </span>
  )
}

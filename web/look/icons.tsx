import type { ReactNode } from 'react'

const handset =
  'M5.6 4h2.8l1.9 4.6-1.9 1.4a11 11 0 0 0 5.6 5.6l1.4-1.9 4.6 1.9v2.8a1.9 1.9 0 0 1-2 1.9A14.6 14.6 0 0 1 3.7 6a1.9 1.9 0 0 1 1.9-2z'

/** Drawn in a square of 24, in the colour of the text beside it. They say nothing by themselves: a word always stands with them. */
const shapes = {
  incoming: (
    <>
      <path d={handset} />
      <path d="M20 4l-5.5 5.5M14.5 5v4.5H19" />
    </>
  ),
  outgoing: (
    <>
      <path d={handset} />
      <path d="M14.5 9.5 20 4M15.5 4H20v4.5" />
    </>
  ),
  internal: <path d="M4 9h14l-4-4M20 15H6l4 4" />,
  talking: (
    <>
      <path d={handset} />
      <path d="M14 7.2a4.4 4.4 0 0 1 2.8 2.8M14.6 3.4a8.3 8.3 0 0 1 6 6" />
    </>
  ),
  missed: (
    <>
      <path d={handset} />
      <path d="M15 4l5 5M20 4l-5 5" />
    </>
  ),
  call: <path d={handset} />,
  hangUp: <path d="M3 14.5c5-5 13-5 18 0l-2.4 2.6-3.8-1.6v-2.6a13 13 0 0 0-5.6 0v2.6l-3.8 1.6z" />,
  held: <path d="M9 5v14M15 5v14" />,
  listening: <path d="M4 10v4h3.5L12 18V6L7.5 10zM15.5 9.2a4 4 0 0 1 0 5.6M18 6.6a7.6 7.6 0 0 1 0 10.8" />,
  connecting: <path d="M5 12h.01M12 12h.01M19 12h.01" />,
  free: <circle cx="12" cy="12" r="7.5" />,
  offline: <circle cx="12" cy="12" r="7.5" strokeDasharray="3.2 2.7" />,
  done: <path d="M5 12.5l4.5 4.5L19 7.5" />,
  ended: <path d="M6 12h12" />,
  warn: <path d="M12 4.5 21 19.5H3zM12 10v4M12 16.8v.01" />,
  copy: (
    <>
      <rect x="8.5" y="8.5" width="11" height="11" rx="2" />
      <path d="M15.5 5.5v-1h-11v11h1" />
    </>
  ),
  download: <path d="M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14" />,
  play: <path d="M8 5.5v13l10.5-6.5z" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  search: (
    <>
      <circle cx="11" cy="11" r="6" />
      <path d="M15.5 15.5 20 20" />
    </>
  ),
  lock: (
    <>
      <rect x="5.5" y="10.5" width="13" height="9" rx="2" />
      <path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />
    </>
  ),
  unlock: (
    <>
      <rect x="5.5" y="10.5" width="13" height="9" rx="2" />
      <path d="M8.5 10.5V8a3.5 3.5 0 0 1 6.6-1.6" />
    </>
  ),
  microphone: (
    <>
      <rect x="9" y="3.5" width="6" height="10.5" rx="3" />
      <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v2.5" />
    </>
  ),
  muted: (
    <>
      <path d="M9 9.5v1.5a3 3 0 0 0 4.5 2.6M15 10.5v-4a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 10 5.5M18.5 11.5a6.4 6.4 0 0 1-.6 2.7M12 18v2.5" />
      <path d="M4.5 4.5l15 15" />
    </>
  ),
  trunk: <path d="M4 7h16v4H4zM4 13h16v4H4zM7.5 9v.01M7.5 15v.01" />,
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof shapes

export function Icon({ name, pulse = false }: { name: IconName; pulse?: boolean }) {
  return (
    <svg className={pulse ? 'icon pulse' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  )
}

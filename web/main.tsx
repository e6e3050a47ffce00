import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from '#web/app.tsx'
import { keptTheme, putOn } from '#web/look/theme.ts'
import '#web/look/tokens.css'
import '#web/look/page.css'
import '#web/look/calls.css'

putOn(keptTheme())
const page = document.getElementById('page')
if (page !== null) {
  createRoot(page).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { RunningSystem } from '#test/system/running-system.ts'

const project = join(import.meta.dirname, '..', '..')
const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
const skip = chromiumPath === undefined ? 'needs chromium: apt-get install chromium' : false

let system: RunningSystem
let browser: Browser
let page: Page
/** What the browser complained of: a page of ours gives it no reason to. */
const complaints: string[] = []

before(async () => {
  if (chromiumPath === undefined) return
  system = await RunningSystem.start()
  browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] })
  page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1440, height: 900 } })
  page.setDefaultTimeout(20_000)
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
  page.on('pageerror', (fault) => complaints.push(String(fault)))
})

after(async () => {
  if (chromiumPath === undefined) return
  await browser.close()
  await system[Symbol.asyncDispose]()
})

const address = (): string => `http://127.0.0.1:${system.settings.http.port}/`

/** A command in a terminal beside the system, until disposed. */
function terminal(...words: string[]): AsyncDisposable {
  const child: ChildProcess = spawn(process.execPath, [join(project, 'tools', 'centrala.mjs'), ...words], {
    env: { ...process.env, ...system.environment },
    stdio: 'ignore',
  })
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  return {
    [Symbol.asyncDispose]: () => {
      child.kill('SIGINT')
      return exited
    },
  }
}

test('without a key, or with a wrong one, the page asks for the key', { skip }, async () => {
  await page.goto(address())
  await page.getByLabel('Key').fill('ck_00000000_wrong')
  await page.getByRole('button', { name: 'Open the page' }).click()
  await page.getByRole('alert').getByText('This key is not known').waitFor()
  // The browser itself reports the refused requests.
  complaints.length = 0
})

test('the key in the address opens the page and does not stay there', { skip }, async () => {
  const key = (await readFile(join(system.settings.folders.data, 'page.key'), 'utf8')).trim()
  await page.goto(`${address()}#key=${key}`)
  await page.getByText('No call yet.').waitFor()
  assert.equal(page.url(), address())
  await page.reload()
  await page.getByRole('heading', { name: 'Ромашка' }).waitFor()
})

test('a call from outside appears, rings, talks, ends, and can be read fact by fact and message by message', { skip }, async () => {
  await using _phone = terminal('phone', '100', '--answer', '6')
  await page.locator('.line', { hasText: '100' }).getByText('Free').waitFor()
  await using _caller = terminal('call', '+74950000100', '--at', '2026-11-20T12:00', '--from', '+79161112233', '--hang-up-after', '60')
  const call = page.locator('.calls li', { hasText: '+79161112233' })
  for (const state of ['Listening to announcements', 'Ringing', 'Talking']) await call.getByText(state).waitFor()
  await page.locator('.line', { hasText: '100' }).getByText('On a call').waitFor()

  await call.getByRole('button', { name: 'Hang up' }).click()
  await call.getByText('Completed').waitFor()
  await page.locator('.line', { hasText: '100' }).getByText('Free').waitFor()

  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  const detail = page.getByRole('complementary')
  await detail.getByText('Recording kept').waitFor()
  await detail.getByText('Now talking: +79161112233 and Анна Белова (100).').waitFor()
  await detail.getByRole('tab', { name: 'SIP ladder' }).click()
  await detail.getByRole('button', { name: /INVITE sip:\+74950000100/ }).click()
  await detail.getByText('Call-ID:').waitFor()
  await page.keyboard.press('Escape')
  await detail.waitFor({ state: 'detached' })

  await call.getByRole('button', { name: 'Play recording' }).click()
  // The page's policy lets nobody evaluate text in it, so that no waiting for an expression is possible.
  const duration = await page.locator('audio').evaluate(async (element) => {
    const audio = element as unknown as { duration: number; addEventListener(event: string, listener: () => void): void }
    if (!(audio.duration > 0)) await new Promise<void>((resolve) => audio.addEventListener('durationchange', resolve))
    return audio.duration
  })
  assert.ok(duration > 0)
})

test('a click on an extension has the system call its phone, and then whom it wants', { skip }, async () => {
  await using _phone = terminal('phone', '100', '--answer', '1')
  await page.locator('.line', { hasText: '100' }).getByText('Free').waitFor()
  await page.getByRole('button', { name: 'Call from extension 100' }).click()
  await page.getByLabel('Number or extension to call').fill('#')
  await page.getByRole('button', { name: 'Call', exact: true }).click()
  await page.locator('.call-form').getByRole('alert').waitFor()

  await page.getByLabel('Number or extension to call').fill('+7 999 000-00-01')
  await page.keyboard.press('Enter')
  const call = page.locator('.calls li', { hasText: '+79990000001' })
  await call.getByText('Talking').waitFor()
  await call.getByRole('button', { name: 'Hang up' }).click()
  await call.getByText('Completed').waitFor()
  assert.equal(await page.getByRole('complementary').count(), 1)
  await page.keyboard.press('Escape')
  // The refused call above is reported by the browser itself.
  assert.deepEqual(
    complaints.splice(0).filter((text) => !text.includes('400 (Bad Request)')),
    [],
  )
})

test('when the server dies the page says so, and comes back by itself with everything it showed', { skip }, async () => {
  const shown = await page.locator('.calls li').count()
  process.kill(await system.pidOf('server'), 'SIGKILL')
  await page.getByText('Reconnecting…').waitFor()
  await page.locator('.chip', { hasText: 'Live' }).waitFor()
  assert.ok(shown >= 2)
  await page
    .locator('.calls li')
    .nth(shown - 1)
    .waitFor()
})

test('the page speaks the reader’s language, and fits a narrow screen', { skip }, async () => {
  await page.getByLabel('Language').selectOption('pl')
  await page.getByRole('heading', { name: 'Niedawno zakończone' }).waitFor()
  assert.equal(await page.getAttribute('html', 'lang'), 'pl')
  await page.setViewportSize({ width: 360, height: 740 })
  const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  assert.equal(overflow, 0)
})

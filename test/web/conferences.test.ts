import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { hear, Office } from '#test/rooms/office.ts'

const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
const skip = chromiumPath === undefined ? 'needs chromium: apt-get install chromium' : false

let office: Office
let browser: Browser
let page: Page

before(async () => {
  if (chromiumPath === undefined) return
  office = await Office.start()
  browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] })
  page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1440, height: 900 } })
  page.setDefaultTimeout(20_000)
  const { http, folders } = office.at.system.settings
  const key = (await readFile(join(folders.data, 'page.key'), 'utf8')).trim()
  await page.goto(`http://127.0.0.1:${http.port}/#key=${key}`)
})
after(async () => {
  if (chromiumPath === undefined) return
  await browser.close()
  await office[Symbol.asyncDispose]()
})

test('who is in a conference is seen as it happens; they are muted, let go, locked in and called in from the page', { skip }, async () => {
  const room = page.getByRole('region', { name: 'open' })
  await room.getByText('Nobody is in it.').waitFor()
  using one = await office.calls('100', '801')
  using two = await office.calls('101', '801')
  const first = room.locator('.members > li', { hasText: '100' })
  await first.getByText('Can speak').waitFor()
  await hear([one, ['101']], [two, ['100']])

  await first.getByRole('button', { name: /^Mute/ }).click()
  await first.getByText('Muted').waitFor()
  await hear([one, ['101']], [two, []])
  await one.call.press('*6')
  await first.getByText('Can speak').waitFor()

  await room.getByRole('button', { name: 'Lock' }).click()
  await room.getByText('Locked: nobody more is let in').waitFor()
  assert.equal((await office.phone('102').call('801')).status, 200)
  await room.getByRole('button', { name: 'Unlock' }).click()
  await room.getByText('Locked: nobody more is let in').waitFor({ state: 'detached' })

  const answering = office.answers('200')
  await room.getByRole('button', { name: 'Invite' }).click()
  await room.getByLabel('Number or extension to call').fill('999')
  await page.keyboard.press('Enter')
  await room.getByRole('alert').waitFor()
  await room.getByLabel('Number or extension to call').fill('200')
  await page.keyboard.press('Enter')
  using three = await answering
  await room.locator('.members > li', { hasText: '200' }).waitFor()

  await first.getByRole('button', { name: /^Remove/ }).click()
  await one.call.ended()
  await first.waitFor({ state: 'detached' })
  await hear([two, ['200']], [three, ['101']])
  for (const { call } of [two, three]) await call.bye()
  await room.getByText('Nobody is in it.').waitFor()
})

test('a narrow page in every language has no sideways scrolling in a conference with members', { skip }, async () => {
  using _one = await office.calls('100', '801')
  await page.setViewportSize({ width: 360, height: 740 })
  for (const language of ['pl', 'ru', 'zh-Hans', 'en']) {
    await page.getByRole('combobox').first().selectOption(language)
    await page.locator('.members > li').first().waitFor()
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0, language)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderTrouble, spaceHint } from '#server/keeper/folder-trouble.ts'

const fault = (code: string): Error => Object.assign(new Error(`${code}: mkdir`), { code })

test('a data folder that cannot be written is told in words, with the setting that chooses another', () => {
  for (const [code, words] of [
    ['EACCES', /may not write in the data folder \/srv\/data/],
    ['EROFS', /read-only/],
    ['ENOENT', /read-only/],
    ['ENOSPC', /No space is left for the data folder \/srv\/data/],
    ['ENOTDIR', /is not a folder/],
  ] as const) {
    assert.match(folderTrouble('/srv/data', fault(code)), words)
    assert.match(folderTrouble('/srv/data', fault(code)), /CENTRALA_DATA_FOLDER/)
  }
})

test('what is not known is told as it is', () => {
  assert.equal(folderTrouble('/nowhere', new Error('odd')), 'odd')
})

test('of space nothing is said while there is some, or where it cannot be known', () => {
  assert.equal(spaceHint('/nowhere'), '')
  assert.match(spaceHint('/proc'), /Only 0 MB are free where \/proc lies/)
})

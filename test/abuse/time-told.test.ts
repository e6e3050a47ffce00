import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Sample, toldByTime } from '#test/abuse/time-told.ts'
import { SeededDice } from '#tools/fuzz/mutate.ts'

/** Draws of 400, spread over so much, the present ones so much later. */
function drawing(spread: number, later: number): (nth: number) => Sample {
  const dice = new SeededDice(1)
  const some = (from: number): number[] => Array.from({ length: 400 }, () => from + (dice.below(1_000_000) / 1_000_000) * spread)
  return () => ({ present: some(later), absent: some(0) })
}

const told = async (spread: number, later: number): Promise<string> =>
  (await toldByTime({ draw: drawing(spread, later), draws: 7, least: 1 })).kind

test('what is alike is found to be', async () => {
  assert.equal(await told(5, 0), 'alike')
})

test('what differs is found to, be it earlier or later, and on a machine that spreads it wide', async () => {
  assert.equal(await told(5, 1), 'different')
  assert.equal(await told(5, -1), 'different')
  assert.equal(await told(20, 1.5), 'different')
})

test('where nothing can be seen, nothing is shown', async () => {
  assert.equal(await told(500, 1), 'unclear')
  assert.equal(await told(500, 0), 'unclear')
})

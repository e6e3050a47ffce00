import type { Millis } from '#base/clock.ts'
import { G711_PER_MS } from '#media/codec/g711.ts'
import { energy } from '#media/dtmf/goertzel.ts'
import { Spectrum } from '#media/listen/spectrum.ts'
import { amplitude } from '#media/tone/tones.ts'

/** One or two frequencies sounding alone for a while. */
export interface HeardTone {
  /** Hz, rising, to some 2 Hz. */
  frequencies: readonly number[]
  fromMs: Millis
  toMs: Millis
  /** Of all frequencies together, in dBm0. */
  levelDbm0: number
}

/** 128 ms: 440 and 480 Hz are told apart. */
const WINDOW = 1024
const HOP = 160

/** Share of all power that the one or two peaks carry; speech spreads it. */
const PURITY = 0.9
/** The second frequency is there when it has this share of the first. */
const SECOND = 0.05
const LEAST_RMS = 60
/** Windows of one tone agree within this. */
const SAME_HZ = 12
const LEAST_MS = 100
/** Where a tone begins and ends is looked for in blocks of so many samples: longer than the beat of two near frequencies. */
const BLOCK = 256
const STEP = 40
/** Power of the softest quarter of a window beside the loudest: the tone fills the window. */
const STEADY = 0.25

interface Peaks {
  frequencies: number[]
  at: number
}

/** The tones in a recording: which, from when to when, how loud. Speech and noise are none. */
export function heardTones(pcm: Int16Array): HeardTone[] {
  const spectrum = new Spectrum(WINDOW)
  const tones: HeardTone[] = []
  let run: Peaks[] = []
  const finish = (): void => {
    const tone = toneOf(run, pcm)
    if (tone !== null) tones.push(tone)
    run = []
  }
  for (let at = 0; at + WINDOW <= pcm.length; at += HOP) {
    const peaks = peaksOf(spectrum, pcm, at)
    const last = run.at(-1)
    if (peaks === null || (last !== undefined && !same(last.frequencies, peaks.frequencies))) finish()
    if (peaks !== null) run.push(peaks)
  }
  finish()
  return tones
}

function toneOf(run: readonly Peaks[], pcm: Int16Array): HeardTone | null {
  const first = run[0]
  const last = run.at(-1)
  if (first === undefined || last === undefined) return null
  const middle = run[run.length >> 1] ?? first
  const power = energy(pcm, middle.at, middle.at + WINDOW) / WINDOW
  const from = edge(pcm, first.at + WINDOW / 2, -STEP, power)
  const to = edge(pcm, last.at + WINDOW / 2, STEP, power)
  if (to - from < LEAST_MS * G711_PER_MS) return null
  const frequencies = middle.frequencies.map((_, i) => median(run.map((one) => one.frequencies[i] ?? 0)))
  return {
    frequencies: frequencies.map((hz) => Math.round(hz)),
    fromMs: Math.round(from / G711_PER_MS),
    toMs: Math.round(to / G711_PER_MS),
    levelDbm0: 10 * Math.log10((2 * power) / amplitude(0) ** 2),
  }
}

/** From within a tone outwards to where it ends: to where half of a block is still filled with it. */
function edge(pcm: Int16Array, from: number, step: number, power: number): number {
  let middle = from
  for (let i = 0; i < WINDOW / STEP; i++) {
    const at = middle + step - BLOCK / 2
    if (at < 0 || at + BLOCK > pcm.length) return Math.max(0, Math.min(pcm.length, middle + Math.sign(step) * (BLOCK / 2)))
    if (energy(pcm, at, at + BLOCK) < (BLOCK * power) / 2) return middle
    middle += step
  }
  return middle
}

/** The frequencies that carry one window alone, or null. */
function peaksOf(spectrum: Spectrum, pcm: Int16Array, at: number): Peaks | null {
  const quarters = [0, 1, 2, 3].map((i) => energy(pcm, at + (i * WINDOW) / 4, at + ((i + 1) * WINDOW) / 4))
  if (Math.min(...quarters) < Math.max((WINDOW / 4) * LEAST_RMS ** 2, Math.max(...quarters) * STEADY)) return null
  const power = spectrum.of(pcm, at)
  const total = power.reduce((sum, value) => sum + value, 0)
  const first = highest(power, null)
  const second = highest(power, first)
  const double = (power[second] as number) > (power[first] as number) * SECOND
  if (around(power, first, double ? second : first) < total * PURITY) return null
  const bins = double ? [first, second].sort((a, b) => a - b) : [first]
  return { frequencies: bins.map((bin) => refine(power, bin) * spectrum.binHz), at }
}

/** The highest bin between 100 and 3900 Hz, out of the reach of another one. */
function highest(power: Float64Array, other: number | null): number {
  let most = 0
  for (let bin = LOWEST_BIN; bin < HIGHEST_BIN; bin++) {
    if (other !== null && Math.abs(bin - other) <= REACH) continue
    if (most === 0 || (power[bin] as number) > (power[most] as number)) most = bin
  }
  return most
}

const LOWEST_BIN = 13
const HIGHEST_BIN = 500
/** Bins over which the window spreads a frequency, to either side. */
const REACH = 2

/** Power of two peaks (or of one, given twice) with the bins over which the window spreads them. */
function around(power: Float64Array, one: number, other: number): number {
  return power.reduce((sum, value, bin) => (Math.abs(bin - one) <= REACH || Math.abs(bin - other) <= REACH ? sum + value : sum), 0)
}

/** The true place between bins: parabola through the logarithms. */
function refine(power: Float64Array, bin: number): number {
  const [a, b, c] = [power[bin - 1] ?? 0, power[bin] ?? 0, power[bin + 1] ?? 0].map((value) => Math.log(value + 1e-9)) as [
    number,
    number,
    number,
  ]
  const bend = a - 2 * b + c
  return bin + (bend === 0 ? 0 : (0.5 * (a - c)) / bend)
}

function same(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((hz, i) => Math.abs(hz - (other[i] ?? 0)) < SAME_HZ)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

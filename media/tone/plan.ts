/**
 * Call-progress tones by country, as data. Sources: ITU-T E.180 Supplement 2 (national tones), ETSI TR 101 041-2,
 * Bellcore GR-506 (us), BS 6305 / BT SIN 350 (uk).
 */

/** Tones that a caller can be given. `beep` is the same everywhere: what invites to speak. */
export type ToneName = 'ringback' | 'busy' | 'congestion' | 'dial' | 'beep'

/** A piece of a cadence: frequencies sounding together (none: silence) for so long. */
export interface Burst {
  /** Hz. */
  frequencies: readonly number[]
  ms: number
}

/** A cadence, repeated without end; a continuous tone is one burst. */
export type Cadence = readonly Burst[]

export type TonePlan = Readonly<Record<ToneName, Cadence>>

/** The plans there are: the European one under `eu`, others under ISO 3166 codes in lower case (`uk` as the field says it). */
export type ToneCountry = keyof typeof TONE_PLANS

const on = (ms: number, ...frequencies: number[]): Burst => ({ frequencies, ms })
const off = (ms: number): Burst => ({ frequencies: [], ms })
const BEEP: Cadence = [on(300, 1000), off(100)]

/** 425 Hz in the cadences that most of Europe shares; a country's own differences are given over it. */
const ETSI: TonePlan = {
  dial: [on(1000, 425)],
  ringback: [on(1000, 425), off(4000)],
  busy: [on(500, 425), off(500)],
  congestion: [on(250, 425), off(250)],
  beep: BEEP,
}

const plans = {
  eu: ETSI,
  us: {
    dial: [on(1000, 350, 440)],
    ringback: [on(2000, 440, 480), off(4000)],
    busy: [on(500, 480, 620), off(500)],
    congestion: [on(250, 480, 620), off(250)],
    beep: BEEP,
  },
  uk: {
    dial: [on(1000, 350, 440)],
    ringback: [on(400, 400, 450), off(200), on(400, 400, 450), off(2000)],
    busy: [on(375, 400), off(375)],
    congestion: [on(400, 400), off(350), on(225, 400), off(525)],
    beep: BEEP,
  },
  ru: { ...ETSI, ringback: [on(800, 425), off(3200)], busy: [on(400, 425), off(400)], congestion: [on(200, 425), off(200)] },
  pl: { ...ETSI, congestion: [on(500, 425), off(500)] },
  lv: ETSI,
  cn: {
    dial: [on(1000, 450)],
    ringback: [on(1000, 450), off(4000)],
    busy: [on(350, 450), off(350)],
    congestion: [on(700, 450), off(700)],
    beep: BEEP,
  },
  de: ETSI,
  fr: {
    ...ETSI,
    dial: [on(1000, 440)],
    ringback: [on(1500, 440), off(3500)],
    busy: [on(500, 440), off(500)],
    congestion: [on(500, 440), off(500)],
  },
  fi: { ...ETSI, busy: [on(300, 425), off(300)], congestion: [on(200, 425), off(200)] },
  jp: {
    dial: [on(1000, 400)],
    ringback: [on(1000, 384, 416), off(2000)],
    busy: [on(500, 400), off(500)],
    congestion: [on(500, 400), off(500)],
    beep: BEEP,
  },
} satisfies Record<string, TonePlan>

export const TONE_PLANS: Readonly<typeof plans> = plans

/** The plan of a country code in any case (`gb` and `uk` are one, North American countries share `us`); the European one for others. */
export function tonePlan(country: string): TonePlan {
  const code = country.toLowerCase()
  return PLANS.get(ALIASES.get(code) ?? code) ?? ETSI
}

const PLANS = new Map<string, TonePlan>(Object.entries(TONE_PLANS))

const ALIASES = new Map([
  ['gb', 'uk'],
  ['ie', 'uk'],
  ['ca', 'us'],
  ['pr', 'us'],
  ['by', 'ru'],
  ['kz', 'ru'],
])

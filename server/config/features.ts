import type { Company } from '#contract/documents/company.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { defaultParkingSeconds, defaultSlots, type FeatureCodes } from '#contract/documents/features.ts'
import type { PublicNumber } from '#contract/documents/numbers.ts'
import type { CompiledFeatures } from '#server/config/compiled.ts'
import { type Complaint, wrong } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** What phones do by dialling a code. */
export type Feature =
  | { kind: 'pickup'; number: string }
  | { kind: 'group-pickup' | 'park' | 'flip' | 'callback' | 'cancel-callback' | 'logout' }
  /** `extension`: whose, where it was dialled behind the code; what is dialled behind that is taken from nobody, since it might be a PIN. */
  | { kind: 'login'; extension: string | null }
  /** The slot itself: fetches who waits there. */
  | { kind: 'slot'; slot: string }

/** The codes of a company that does not say which, beside those it does say. */
export function compileFeatures({ featureCodes, parking }: Company, main: PublicNumber | undefined): CompiledFeatures {
  return {
    codes: codesOf(featureCodes),
    slots: new Set(parking?.slots ?? defaultSlots),
    parkedMs: (parking?.seconds ?? defaultParkingSeconds) * 1_000,
    afterParking: parking?.otherwise ?? main?.target ?? null,
  }
}

/** What dialling means; null: somebody is called. */
export function featureOf({ codes, slots }: CompiledFeatures, dialled: string): Feature | null {
  if (slots.has(dialled)) return { kind: 'slot', slot: dialled }
  if (dialled === codes.groupPickup) return { kind: 'group-pickup' }
  if (dialled === codes.park) return { kind: 'park' }
  if (dialled === codes.flip) return { kind: 'flip' }
  if (dialled === codes.callback) return { kind: 'callback' }
  if (dialled === codes.cancelCallback) return { kind: 'cancel-callback' }
  if (dialled === codes.logout) return { kind: 'logout' }
  const extension = loginOf(codes.login, dialled)
  if (extension !== null) return { kind: 'login', extension: extension === '' ? null : extension }
  const number = dialled.startsWith(codes.pickup) ? dialled.slice(codes.pickup.length) : ''
  return /^[*#]?[0-9]{2,6}$/.test(number) ? { kind: 'pickup', number } : null
}

/** The extension behind the code for logging in, or nothing; null: something else was dialled. */
function loginOf(code: string, dialled: string): string | null {
  if (!dialled.startsWith(code)) return null
  return /^([0-9]{2,6})?([*#].*)?$/.exec(dialled.slice(code.length))?.at(0) === undefined
    ? null
    : (/^[0-9]*/.exec(dialled.slice(code.length))?.[0] ?? '')
}

/** Whatever is dialled means one thing only. */
export function featureChecks(documents: readonly ConfigDocument[]): Complaint[] {
  return ofKind(documents, 'company').flatMap((company) => {
    const { pickup, ...others } = codesOf(company.featureCodes)
    const { login } = others
    const taken = new Map(Object.entries(others).map(([name, code]) => [code, `the code of ${name}`]))
    const complaints: Complaint[] = []
    if (taken.size < Object.keys(others).length || taken.has(pickup))
      complaints.push(wrong('not-unique', company, ['featureCodes'], 'two feature codes are the same'))
    for (const { number } of ofKind(documents, 'extension')) taken.set(number, `extension ${number}`)
    for (const number of ofKind(documents, 'emergency').flatMap((one) => one.numbers)) taken.set(number, 'an emergency number')
    const slots = company.parking?.slots ?? defaultSlots
    for (const [i, slot] of slots.entries()) {
      const path = company.parking?.slots === undefined ? ['parking'] : ['parking', 'slots', i]
      const owner =
        taken.get(slot) ??
        (isPickup(pickup, slot) ? `the pickup of ${slot.slice(pickup.length)}` : isLogin(login, slot) ? 'a login' : undefined)
      if (owner !== undefined) complaints.push(wrong('not-unique', company, path, `${slot} is ${owner} already: no slot may have it`))
    }
    return [...complaints, ...prefixed(company, pickup, others)]
  })
}

function isPickup(pickup: string, code: string): boolean {
  return code.startsWith(pickup) && /^[*#]?[0-9]{2,6}$/.test(code.slice(pickup.length))
}

/** No code begins with one that numbers are dialled behind. */
function prefixed(company: Company, pickup: string, others: Readonly<Record<string, string>> & { login: string }): Complaint[] {
  const mixed =
    pickup.startsWith(others.login) || others.login.startsWith(pickup)
      ? [wrong('not-unique', company, ['featureCodes'], `behind ${pickup} and ${others.login} nobody could tell a pickup from a login`)]
      : []
  const found = Object.entries(others).flatMap(([name, code]) => {
    const read = isPickup(pickup, code) ? `the pickup of ${code.slice(pickup.length)}` : isLogin(others.login, code) ? 'a login' : null
    return read === null ? [] : [wrong('not-unique', company, ['featureCodes', name], `${code} would be ${read}`)]
  })
  return [...found, ...mixed]
}

/** Not the code itself, but what begins with it and is read as one. */
function isLogin(login: string, code: string): boolean {
  return code !== login && loginOf(login, code) !== null
}

function codesOf(given: FeatureCodes | undefined): Required<FeatureCodes> {
  return {
    pickup: '**',
    groupPickup: '*8',
    park: '*70',
    flip: '*9',
    callback: '*37',
    cancelCallback: '#37',
    login: '*11',
    logout: '*12',
    ...given,
  }
}

import type { Gap, SpeakerTurn } from '#media/engine.ts'

/** What stands beside a recording, as `<file>.json`. Instants count from the recording's zero, which is the audio's. */
export interface Sidecar {
  version: 1
  ms: number
  /** False while the recording goes on, or when the process that made it died. */
  complete: boolean
  turns: readonly SpeakerTurn[]
  gaps: readonly Gap[]
}

/** Its name. */
export function sidecarOf(file: string): string {
  return `${file}.json`
}

export function writeSidecar(sidecar: Sidecar): string {
  return `${JSON.stringify(sidecar)}\n`
}

/** Reads one back, whatever is in it: what is no turn or gap is left out. */
export function readSidecar(text: string | null): Pick<Sidecar, 'turns' | 'gaps'> {
  const value = parsed(text)
  return { turns: list(value, 'turns').filter(isTurn), gaps: list(value, 'gaps').filter(isGap) }
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text)
  } catch {
    return null
  }
}

function list(value: unknown, key: 'turns' | 'gaps'): unknown[] {
  const found = typeof value === 'object' && value !== null ? (value as Partial<Record<typeof key, unknown>>)[key] : null
  return Array.isArray(found) ? found : []
}

function isTurn(value: unknown): value is SpeakerTurn {
  const turn = value as Partial<SpeakerTurn> | null
  return isStretch(value) && (turn?.speaker === 0 || turn?.speaker === 1)
}

function isGap(value: unknown): value is Gap {
  return isStretch(value) && typeof (value as Partial<Gap>).why === 'string'
}

function isStretch(value: unknown): boolean {
  const { fromMs, toMs } = (value ?? {}) as Partial<Gap>
  return typeof fromMs === 'number' && typeof toMs === 'number'
}

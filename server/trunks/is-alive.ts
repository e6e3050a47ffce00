import type { CompiledTrunk } from '#server/config/compiled.ts'

/** Whether an answer to OPTIONS says that its peer takes calls: even a refusal usually does. */
export function isAlive(status: number, wanted: CompiledTrunk['healthAnswer']): boolean {
  return wanted === '2xx' ? status >= 200 && status < 300 : status !== 503 && status !== 408
}

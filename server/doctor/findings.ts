import type { Finding } from '#contract/api/operation.ts'

export function well(check: string, detail: string): Finding {
  return { check, state: 'well', detail, todo: '' }
}

export function warning(check: string, detail: string, todo: string): Finding {
  return { check, state: 'warning', detail, todo }
}

export function bad(check: string, detail: string, todo: string): Finding {
  return { check, state: 'bad', detail, todo }
}

/** Runs examinations together; one that breaks is itself a finding and hides no other. */
export async function examine(checks: Readonly<Record<string, () => Promise<Finding[]> | Finding[]>>): Promise<Finding[]> {
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        return await check()
      } catch (fault) {
        return [
          bad(name, `could not be examined: ${fault instanceof Error ? fault.message : String(fault)}`, 'Look into the log for more.'),
        ]
      }
    }),
  )
  return found.flat()
}

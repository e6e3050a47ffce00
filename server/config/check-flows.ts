import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Flow } from '#contract/documents/flow.ts'
import { lint } from '#flows/linter.ts'
import { compile } from '#server/config/compile.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { unwise, wrong, type Complaint } from '#server/config/complaint.ts'
import { mayRecord } from '#server/config/recordings.ts'

/** Every flow passes the linter, and what its nodes decide by can be decided. The documents have exactly one company. */
export function flowChecks(documents: readonly ConfigDocument[], promptMs: ReadonlyMap<string, number>): Complaint[] {
  const config = compile(documents, { promptMs })
  return [...config.flows.values()].flatMap((flow) => [...linted(config, flow), ...cases(flow), ...states(config, flow)])
}

function linted(config: CompiledConfig, flow: Flow): Complaint[] {
  const numbers = [...config.numbers.values()].filter(({ target }) => leadsTo(config, target, flow.id))
  const recorded = numbers.some(({ number }) => mayRecord(config, number))
  const findings = lint(config, flow, { entry: numbers.length > 0, recorded })
  return findings.map(({ severity, rule, path, message }) => ({ severity, rule, path, message, document: flow }))
}

function leadsTo(config: CompiledConfig, target: object, flow: string): boolean {
  if ('flow' in target) return target.flow === flow
  if (!('extension' in target) || typeof target.extension !== 'string') return false
  const behind = config.extensionsById.get(target.extension)?.target
  return behind !== undefined && 'flow' in behind && behind.flow === flow
}

function cases(flow: Flow): Complaint[] {
  return Object.entries(flow.nodes).flatMap(([id, node]) =>
    node.type !== 'caller'
      ? []
      : node.cases.flatMap((one, i) =>
          one.list === undefined && one.numbers === undefined && one.anonymous !== true
            ? [wrong('empty-case', flow, ['nodes', id, 'cases', i], 'a case needs a list, numbers or anonymous: as it is, no caller fits')]
            : [],
        ),
  )
}

/** A branch for a state that its hours never have is a slip of the pen. */
function states(config: CompiledConfig, flow: Flow): Complaint[] {
  return Object.entries(flow.nodes).flatMap(([id, node]) => {
    if (node.type !== 'hours' || node.states === undefined) return []
    const hours = config.hours.get(node.hours)
    const known = new Set([...(hours?.holidays ?? []), ...(hours?.exceptions ?? [])].map((rule) => rule.state))
    return Object.keys(node.states)
      .filter((state) => !known.has(state))
      .map((state) => unwise('idle-setting', flow, ['nodes', id, 'states', state], `${node.hours} never has the state ${state}`))
  })
}

import type { FlowNode } from '#contract/documents/flow.ts'
import type { Prompt } from '#contract/documents/prompt.ts'
import type { FlowBook } from '#flows/book.ts'
import { exitsOf, nodeOf } from '#flows/graph.ts'
import { type Finding, type Linted, nodesOf, warning } from '#flows/lint/finding.ts'
import { reachable } from '#flows/lint/structure.ts'

const maxGreetingMs = 15_000

/** Greetings are short, begin with words, say who answers, and there is more than one of them. */
export function greetingRules(linted: Linted): Finding[] {
  if (!linted.entry) return []
  return [...lengths(linted), ...music(linted), ...names(linted), ...scenarios(linted)]
}

/** What is said before the caller can choose or is rung: from the start up to and with the first menu. Longest way counts. */
function lengths({ book, flow }: Linted): Finding[] {
  const longest = new Map<string, number>()
  const queue: [id: string, before: number][] = [[flow.start, 0]]
  let left = 10 * Object.keys(flow.nodes).length
  for (const [id, before] of queue) {
    const node = nodeOf(flow, id)
    if (node === undefined || left-- === 0) continue
    const ms = before + promptsOf(node).reduce((sum, prompt) => sum + (book.promptMs.get(prompt) ?? 0), 0)
    if (ms <= (longest.get(id) ?? -1)) continue
    longest.set(id, ms)
    if (isGreetingPart(node)) for (const exit of exitsOf(node)) queue.push([exit.to, ms])
  }
  return [...longest]
    .filter(([id, ms]) => ms > maxGreetingMs && promptsOf(nodeOf(flow, id)).length > 0)
    .map(([id, ms]) =>
      warning('long-greeting', ['nodes', id], `${(ms / 1000).toFixed(1)} s of greeting up to the end of ${id}: at most 15 s`),
    )
}

const isGreetingPart = (node: FlowNode) => node.type !== 'menu' && node.type !== 'ring' && node.type !== 'external'

/** What a node says itself; a hang-up is a farewell, no greeting. */
function promptsOf(node: FlowNode | undefined): readonly string[] {
  return node?.type === 'play' || node?.type === 'menu' ? node.prompts : []
}

/** The nodes that a caller can hear before choosing, in document order. */
function greetingNodes({ flow }: Linted): [id: string, node: FlowNode][] {
  const heard = reachable(flow.start, (id) => {
    const node = nodeOf(flow, id)
    return node !== undefined && isGreetingPart(node) ? exitsOf(node).map((exit) => exit.to) : []
  })
  return nodesOf(flow).filter(([id]) => heard.has(id))
}

function music(linted: Linted): Finding[] {
  return greetingNodes(linted).flatMap(([id, node]) =>
    promptsOf(node)
      .filter((prompt) => linted.book.prompts.get(prompt)?.content === 'music')
      .map((prompt) => warning('leading-music', ['nodes', id, 'prompts'], `${prompt} is music before the caller has been told anything`)),
  )
}

/** The first thing said on each way names the company, where its words are known. */
function names({ book, flow }: Linted): Finding[] {
  const first = reachable(flow.start, (id) => {
    const node = nodeOf(flow, id)
    return node === undefined || promptsOf(node).length > 0 || !isGreetingPart(node) ? [] : exitsOf(node).map((exit) => exit.to)
  })
  return [...first].flatMap((id) => {
    const said = promptsOf(nodeOf(flow, id)).map((prompt) => book.prompts.get(prompt))
    if (said.length === 0 || said.some((prompt) => prompt?.text === undefined) || saysName(book, said)) return []
    return [
      warning('nameless-greeting', ['nodes', id, 'prompts'], `${id} is the first thing callers hear and does not say ${book.company.name}`),
    ]
  })
}

function saysName(book: FlowBook, said: readonly (Prompt | undefined)[]): boolean {
  const text = said.map((prompt) => prompt?.text ?? '').join(' ')
  return text.toLocaleLowerCase().includes(book.company.name.toLocaleLowerCase())
}

function scenarios(linted: Linted): Finding[] {
  if (greetingNodes(linted).some(([, node]) => node.type === 'hours' || node.type === 'goto')) return []
  return [warning('one-scenario', ['start'], 'weekdays, nights and holidays are all treated alike: add opening hours')]
}

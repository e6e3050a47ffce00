import { unreachable } from '#base/unreachable.ts'
import type { Destination } from '#contract/documents/target.ts'
import type { FlowBook } from '#flows/book.ts'
import { Draft } from '#flows/draft.ts'
import { listen, runOut, useKeys } from '#flows/menu.ts'
import type { FlowEffect, FlowInput, FlowRun, RunState, Stepped } from '#flows/types.ts'
import type { Next } from '#flows/move.ts'
import { unanswered } from '#flows/ring.ts'
import { walk } from '#flows/walk.ts'

/** Keys kept for later at most; further ones are lost. */
const maxKeysAhead = 32

/** A run that will begin at `entry` (a flow, or directly an extension, a group, a number outside). Its first input is `started`. */
export function newRun(entry: Destination): FlowRun {
  return {
    place: null,
    entry,
    caller: { number: null },
    dialled: '',
    tokens: 0,
    keys: '',
    answered: false,
    recording: false,
    steps: 0,
    state: { name: 'new' },
  }
}

/**
 * One input in; the run as it is afterwards and the effects to carry out, in order. Pure: same book, run and input, same result. An input that
 * the state does not expect (a late timer, a key after the end) changes nothing. With any documents and any inputs the run ends: it takes
 * at most `maxStepsWithoutCaller` moves without a key from the caller.
 */
export function step(book: FlowBook, run: FlowRun, input: FlowInput): Stepped {
  const draft = new Draft(book, run, input.now)
  if (run.state.name !== 'ended') walk(draft, apply(draft, run.state, input))
  return { run: draft.run, effects: draft.effects }
}

/**
 * What must be done again for a run that outlived its runner: the prompt from its beginning, the wait, the ring from its first step, under
 * the tokens the run knows. A caller who was answered still is. Nothing for a run that is new or ended.
 */
export function resume(run: FlowRun): FlowEffect[] {
  const { state } = run
  switch (state.name) {
    case 'playing':
    case 'prompting':
    case 'parting':
      return [{ kind: 'play', token: state.play, prompts: state.prompts }]
    case 'awaiting':
      return [{ kind: 'startTimer', token: state.timer, ms: state.ms }]
    case 'ringing': {
      const sound = state.music === undefined ? {} : { music: state.music }
      return [{ kind: 'ring', token: state.ring, plan: state.plan, ...sound }]
    }
    default:
      return []
  }
}

function apply(draft: Draft, state: RunState, input: FlowInput): Next {
  switch (input.kind) {
    case 'started':
      if (state.name !== 'new') return null
      draft.changed.caller = input.caller
      draft.changed.dialled = input.dialled
      return { to: 'destination', destination: draft.run.entry, of: 'target' }
    case 'digit':
      return pressed(draft, state, input.digit)
    case 'played':
      return played(draft, state, input.token)
    case 'timer':
      if (state.name !== 'awaiting' || state.timer !== input.token) return null
      return atMenu(draft, (node) => runOut(draft, node, state.attempt, state.collected))
    case 'rung':
      if (state.name !== 'ringing' || state.ring !== input.token) return null
      if (input.outcome === 'answered') return draft.end('answered', { kind: 'answered', by: 'callee' })
      return unanswered(draft, state.exits, input.outcome)
    case 'caller-hung-up':
      stop(draft, state)
      return draft.end('caller-left', { kind: draft.run.answered ? 'completed' : 'cancelled', by: 'caller' })
    default:
      return unreachable(input)
  }
}

/** Keys count while a prompt plays or a menu listens; while somebody is rung or the last words are said they mean nothing. */
function pressed(draft: Draft, state: RunState, digit: string): Next {
  if (!/^[0-9*#]$/.test(digit)) return null
  if (state.name !== 'playing' && state.name !== 'prompting' && state.name !== 'awaiting') return null
  draft.changed.steps = 0
  if (draft.run.keys.length < maxKeysAhead) draft.changed.keys += digit
  const { node } = draft
  if (state.name === 'playing') {
    if (node?.type !== 'play' || node.bargeIn === false) return null
    draft.emit({ kind: 'stopPlay', token: state.play })
    return { to: 'node', node: node.next, via: 'key' }
  }
  if (node?.type !== 'menu') return null
  if (state.name === 'awaiting') {
    draft.emit({ kind: 'stopTimer', token: state.timer })
    return useKeys(draft, node, state.attempt, state.collected)
  }
  if (node.bargeIn === false) return null
  draft.emit({ kind: 'stopPlay', token: state.play })
  return useKeys(draft, node, state.attempt, '')
}

function played(draft: Draft, state: RunState, token: number): Next {
  if (!('play' in state) || state.play !== token) return null
  if (state.name === 'parting') return draft.end('hung-up', state.outcome)
  if (state.name === 'prompting') return atMenu(draft, (node) => listen(draft, node, state.attempt))
  const { node } = draft
  if (node?.type !== 'play') return draft.break('a prompt ended where none was played')
  return { to: 'node', node: node.next, via: 'next' }
}

type MenuOf = Extract<NonNullable<Draft['node']>, { type: 'menu' }>

function atMenu(draft: Draft, then: (node: MenuOf) => Next): Next {
  const { node } = draft
  if (node?.type === 'menu') return then(node)
  return draft.break('a menu that is no longer there')
}

/** Stops what the state has under way. */
function stop(draft: Draft, state: RunState): void {
  switch (state.name) {
    case 'playing':
    case 'prompting':
    case 'parting':
      return draft.emit({ kind: 'stopPlay', token: state.play })
    case 'awaiting':
      return draft.emit({ kind: 'stopTimer', token: state.timer })
    case 'ringing':
      return draft.emit({ kind: 'stopRing', token: state.ring })
    default:
  }
}

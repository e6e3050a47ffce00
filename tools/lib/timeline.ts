import type { EndpointRef, Fact, FactKind } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'

/** What happened in a call, a sentence a line, with seconds since it began. */
export function timelineText(facts: readonly Fact[]): string[] {
  const first = facts[0]
  if (first === undefined) return []
  const names = new Map(
    facts.flatMap((fact) => (fact.kind === 'leg.started' ? [[fact.leg, nameOf(fact.role, fact.endpoint)] as const] : [])),
  )
  return facts.flatMap((fact) => {
    const sentence = sentenceOf(fact, (leg) => names.get(leg) ?? leg)
    return sentence === null ? [] : [`${((fact.at - first.at) / 1000).toFixed(3).padStart(9)}  ${sentence}`]
  })
}

type Name = (leg: string) => string
type Of<K extends FactKind> = Extract<Fact, { kind: K }>

/** Null: not worth a line of its own. */
const sentences: { readonly [K in FactKind]: (fact: Of<K>, name: Name) => string | null } = {
  'call.started': ({ from, to, config, rehearsedAt }) =>
    `${from.number || 'somebody'} calls ${to.number} (configuration ${config}${rehearsedAt === undefined ? '' : `, as if it were ${localTime(rehearsedAt)}`})`,
  'call.ended': ({ outcome }) => `the call is over: ${said(outcome)}`,
  'call.identity-checked': ({ verdict, attestation, why }) =>
    `the caller’s signature: ${verdict}${attestation === undefined ? '' : `, attestation ${attestation}`}${why === undefined ? '' : ` (${why})`}`,
  'call.captured': ({ by, audio, until }) => `${by} captures its packets${audio ? ', audio included,' : ''} until ${localTime(until)}`,
  'call.recovered': ({ downMs }) => `the server was away for ${seconds(downMs)} and took the call over`,
  'call.refused': ({ reason, sip }) => `refused (${sip}): ${reason}`,
  'leg.started': ({ leg, role }, name) => (role === 'caller' ? null : `${name(leg)} is called`),
  'leg.ringing': ({ leg, earlyMedia }, name) => `${name(leg)} rings${earlyMedia ? ', with sound of its own' : ''}`,
  'leg.asked': ({ leg, key }, name) => `${name(leg)} picks up and is asked to press ${key}`,
  'leg.answered': ({ leg }, name) => (name(leg) === caller ? 'the caller is answered' : `${name(leg)} answers`),
  'leg.redialled': ({ leg }, name) => `${name(leg)} is asked again, the other way about encryption`,
  'leg.quality': ({ leg, quality }, name) => {
    const { received, sent, roundTripMs } = quality
    const ways = [
      received === null ? null : `${received.lost} % lost and ${received.jitterMs} ms jitter to us, MOS ${received.mos}`,
      sent === null ? null : `${sent.lost} % lost to them, MOS ${sent.mos}`,
      roundTripMs === null ? null : `${roundTripMs} ms there and back`,
    ]
    return `${name(leg)} sounds ${quality.class}: ${ways.filter((way) => way !== null).join('; ')}`
  },
  'leg.held': ({ leg }, name) => `${name(leg)} holds`,
  'leg.resumed': ({ leg }, name) => `${name(leg)} comes back`,
  'leg.ended': ({ leg, outcome }, name) => `${name(leg)} is done: ${said(outcome)}`,
  'bridge.joined': ({ legs }, name) => `${legs.map(name).join(' and ')} hear each other`,
  'bridge.parted': ({ legs }, name) => `${legs.map(name).join(' and ')} are parted`,
  'flow.entered': ({ flow }) => `flow "${flow}" begins`,
  'flow.stepped': ({ node, type, via }) => `${type} "${node}"${via === undefined ? '' : ` (${via})`}`,
  'flow.left': ({ flow, why }) => `flow "${flow}" ends: ${why}`,
  'hours.decided': ({ hours, state, because }) => `hours "${hours}": ${state} (${because})`,
  'menu.missed': ({ why, attempt }) => `nothing of use was pressed (${why}, attempt ${attempt})`,
  'prompt.played': ({ prompt, ms, whole, text }) =>
    `played "${prompt}", ${seconds(ms)}${whole ? '' : ', not to its end'}${text === undefined ? '' : `: ${text}`}`,
  'digit.pressed': ({ leg, digit }, name) => `${name(leg)} presses ${digit}`,
  'ring.started': ({ targets, ms }) => `rings ${targets.join(', ') || 'nobody'} for up to ${seconds(ms)}`,
  'ring.ended': ({ outcome, leg }, name) => `ringing ends: ${leg === undefined ? said(outcome) : `${name(leg)} takes the call`}`,
  'trunk.passed-over': ({ trunk, why }) => `trunk "${trunk}" is passed over: ${why}`,
  'transfer.requested': ({ leg, to, attended }, name) =>
    attended === true ? `${name(leg)} asks ${to} first` : `${name(leg)} transfers to ${to}`,
  'call.joined': ({ into }) => `joined with call ${into}`,
  'leg.redirected': ({ leg, to, followed, why }, name) =>
    `${name(leg)} sends the call on to ${to.join(', ')}${followed ? '' : `; not followed: ${why ?? 'refused'}`}`,
  'transfer.completed': ({ to }) => `transferred to ${to}`,
  'call.parked': ({ slot, by }) => `parked at ${slot}${by === undefined ? '' : ` by ${by}`}`,
  'call.unparked': ({ slot, why, by }, name) => `no longer parked at ${slot}: ${why}${by === undefined ? '' : ` (${name(by)})`}`,
  'call.picked-up': ({ leg, by }, name) => `${name(by)} picks up what rings at ${name(leg)}`,
  'call.flipped': ({ leg, by }, name) => `the call moves from ${name(leg)} to ${name(by)}`,
  'transfer.failed': ({ to, outcome }) => `the transfer to ${to} failed: ${said(outcome)}`,
  'three-way.joined': () => 'three talk together',
  'three-way.parted': () => 'the three no longer talk together',
  'conference.joined': ({ leg, conference, moderator }, name) =>
    `${name(leg)} is in conference "${conference}"${moderator ? ' as moderator' : ''}`,
  'conference.left': ({ leg, conference }, name) => `${name(leg)} leaves conference "${conference}"`,
  'conference.refused': ({ leg, conference, why }, name) => `${name(leg)} is not let into conference "${conference}": ${why}`,
  'conference.muted': ({ leg, conference, muted }, name) =>
    `${name(leg)} is ${muted ? 'muted' : 'heard again'} in conference "${conference}"`,
  'conference.locked': ({ conference, locked }) => `conference "${conference}" is ${locked ? 'locked' : 'unlocked'}`,
  'monitor.started': ({ by, agent, mode, told }) => `${by} monitors ${agent} (${mode}${told ? ', with a tone' : ''})`,
  'monitor.changed': ({ by, mode }) => `${by} monitors by another mode: ${mode}`,
  'monitor.ended': ({ by }) => `${by} monitors no longer`,
  'recording.started': () => 'recording begins',
  'recording.ended': ({ ms, bytes }) => `the recording is kept: ${seconds(ms)}, ${bytes} bytes`,
  'recording.failed': ({ why }) => `the recording failed: ${why}`,
  'recording.mailed': ({ to }) => `the recording is mailed to ${to}`,
  'trunk.went-up': ({ trunk }) => `trunk "${trunk}" answers again`,
  'trunk.went-down': ({ trunk, why }) => `trunk "${trunk}" does not answer: ${why}`,
  'device.registered': ({ device, contact }) => `phone "${device}" registered at ${contact}`,
  'device.unregistered': ({ device, why }) => `phone "${device}" is gone: ${why}`,
  'device.password-shown': ({ device, to }) => `the password of phone "${device}" was shown to ${to}`,
  'callback.requested': ({ extension, to }) => `${extension} is to be called when ${to} is free`,
  'callback.ended': ({ extension, to, why }) => `${extension} is no longer to be called for ${to}: ${why}`,
  'desk.logged-in': ({ device, extension }) => `extension ${extension} has logged in at phone "${device}"`,
  'desk.logged-out': ({ device, extension, why }) => `extension ${extension} is logged out at phone "${device}": ${why}`,
  'desk.refused': ({ device, extension, why }) => `extension ${extension} was not logged in at phone "${device}": ${why}`,
  'message.sent': ({ device, to, delivered, sip }) =>
    `phone "${device}" sent a message to ${to}: ${delivered > 0 ? 'delivered' : `not delivered (${sip})`}`,
  'config.changed': ({ version, author }) => `${author} made configuration ${version}`,
  'alarm.raised': ({ severity, detail }) => `ALARM (${severity}): ${detail}`,
}

function sentenceOf<K extends FactKind>(fact: Of<K>, name: Name): string | null {
  // One entry of the table per kind: the table's type says that they fit.
  const say = sentences[fact.kind as K] as (fact: Of<K>, name: Name) => string | null
  return say(fact, name)
}

const caller = 'the caller'

function nameOf(role: 'caller' | 'callee', endpoint: EndpointRef): string {
  if (role === 'caller') return caller
  const { kind, number, name } = endpoint
  if (kind === 'trunk') return `${number} over ${name ?? endpoint.id}`
  return name === undefined ? `extension ${number}` : `extension ${number} (${name})`
}

function said({ kind, by, detail }: Outcome): string {
  const who = by === 'nobody' ? '' : `, by ${by}`
  return `${kind}${who}${detail === undefined ? '' : ` (${detail})`}`
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function localTime(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'minute' })
}

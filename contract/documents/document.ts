import Type, { type Static } from 'typebox'
import { Company } from '#contract/documents/company.ts'
import { Conference, Monitoring } from '#contract/documents/conference.ts'
import { Flow } from '#contract/documents/flow.ts'
import { Hours } from '#contract/documents/hours.ts'
import { CallerList, PublicNumber, Recording } from '#contract/documents/numbers.ts'
import { Emergency, Outbound } from '#contract/documents/outbound.ts'
import { Device, Extension, Person } from '#contract/documents/people.ts'
import { Prompt } from '#contract/documents/prompt.ts'
import { RingGroup } from '#contract/documents/ring-group.ts'
import { Trunk } from '#contract/documents/trunk.ts'

/** Every kind of configuration document and its schema, in the order in which they are listed and exported. */
export const documentSchemas = {
  company: Company,
  person: Person,
  device: Device,
  extension: Extension,
  number: PublicNumber,
  hours: Hours,
  'ring-group': RingGroup,
  prompt: Prompt,
  flow: Flow,
  'caller-list': CallerList,
  recording: Recording,
  conference: Conference,
  monitoring: Monitoring,
  trunk: Trunk,
  outbound: Outbound,
  emergency: Emergency,
} as const

export type DocumentKind = keyof typeof documentSchemas
export const documentKinds = Object.keys(documentSchemas) as readonly DocumentKind[]

/** A configuration document. A company's configuration is a set of them; (kind, id) is unique in it. */
export const ConfigDocument = Type.Union([
  Company,
  Person,
  Device,
  Extension,
  PublicNumber,
  Hours,
  RingGroup,
  Prompt,
  Flow,
  CallerList,
  Recording,
  Conference,
  Monitoring,
  Trunk,
  Outbound,
  Emergency,
])
export type ConfigDocument = Static<typeof ConfigDocument>

/** The document type of a kind. */
export type DocumentOf<K extends DocumentKind> = Extract<ConfigDocument, { kind: K }>

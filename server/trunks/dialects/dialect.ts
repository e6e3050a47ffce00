import type { Trunk } from '#contract/documents/trunk.ts'

/** Fields of a trunk that a dialect may settle: how a peer speaks, never who it is, what it may do or what it costs. */
export type DialectSettings = Pick<
  Trunk,
  | 'transport'
  | 'registerSeconds'
  | 'dialledNumberIn'
  | 'numberFormat'
  | 'userPhone'
  | 'diversion'
  | 'codecs'
  | 'healthSeconds'
  | 'healthAnswer'
> & { callerId?: Omit<NonNullable<Trunk['callerId']>, 'allowed' | 'default'> }

/** The ways of one family of carriers or exchanges, as data. */
export interface Dialect {
  /** As a trunk's document names it. */
  readonly name: string
  /** Whose ways these are. */
  readonly title: string
  /** When they were last compared with what the family publishes: `YYYY-MM-DD`. */
  readonly date: string
  /** Why each setting is as it is. */
  readonly reason: string
  readonly settings: DialectSettings
}

import type { Recording, PublicNumber } from '#contract/documents/numbers.ts'
import type { Emergency, Outbound } from '#contract/documents/outbound.ts'
import type { Device, Person } from '#contract/documents/people.ts'
import type { Trunk } from '#contract/documents/trunk.ts'
import type { FlowBook } from '#flows/book.ts'

/** One version of a company's configuration as calls read it: immutable, in memory, every look-up in constant time. */
export interface CompanyBook extends FlowBook {
  readonly persons: ReadonlyMap<string, Person>
  readonly devices: ReadonlyMap<string, Device>
  readonly devicesByUsername: ReadonlyMap<string, Device>
  readonly devicesOfPerson: ReadonlyMap<string, readonly Device[]>
  /** By E.164 number. */
  readonly numbers: ReadonlyMap<string, PublicNumber>
  readonly trunks: ReadonlyMap<string, Trunk>
  readonly recordings: readonly Recording[]
  readonly outbound: Outbound | null
  readonly emergency: Emergency | null
}

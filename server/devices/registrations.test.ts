import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { NewFact } from '#contract/facts.ts'
import { compile } from '#server/config/compile.ts'
import { documentsOf, smallCompany } from '#server/config/testing.ts'
import { DeviceRegistrations } from '#server/devices/registrations.ts'
import { Books } from '#server/dialplan/books.ts'
import type { Flow, KeptDialog } from '#sip/agent.ts'
import { Registrar } from '#sip/registrar/registrar.ts'

const flow: Flow = {
  transport: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '192.0.2.9', port: 40_000 },
  connection: null,
}
const contact = 'sip:anna1@192.0.2.9:40000'

/** The registrations of one life of the server; `kept` is the journal's, which outlives it. */
function life(kept: Map<string, unknown>) {
  const clock = new VirtualClock(1_772_445_600_000)
  const books = new Books(silentLog)
  books.take({ tenant: 'acme', version: 1, config: compile(documentsOf(smallCompany).documents) })
  const facts: NewFact[] = []
  const journal = {
    keep: (key: string, value: unknown) => void (value === null ? kept.delete(key) : kept.set(key, structuredClone(value))),
    kept: (prefix: string) => new Map([...kept].filter(([key]) => key.startsWith(prefix))),
  }
  const devices = new DeviceRegistrations({ books, journal, tell: (fact) => void facts.push(fact) })
  const registrar = new Registrar(clock, devices)
  devices.serve(registrar)
  return { clock, devices, registrar, facts }
}

/** The journal after a phone had registered. */
function registered(): Map<string, unknown> {
  const binding = {
    aor: 'anna1@acme.example',
    contact,
    contactKey: contact,
    q: 1,
    callId: 'r',
    cseq: 1,
    instance: null,
    regId: null,
    path: [],
  }
  return new Map([
    [
      `binding/anna1@acme.example/${contact}`,
      { ...binding, flow, userAgent: null, since: 1_772_445_000_000, expiresWall: 1_772_445_660_000 },
    ],
  ])
}

const dialog = (remoteUri: string): KeptDialog => ({
  ...{ callId: 'c', localTag: 'a', remoteTag: 'b', localUri: 'sip:x', remoteUri, remoteTarget: contact },
  ...{ routeSet: [], localSeq: 1, remoteSeq: 1, flow, secure: false },
})

test('a restarted server knows the phones of before without a new REGISTER', () => {
  const { devices, registrar } = life(registered())
  assert.equal(devices.restore(), 1)
  assert.deepEqual(
    registrar.contactsOf('anna1@acme.example').map((binding) => binding.contact),
    [contact],
  )
})

test('what cannot be a registration any more is not taken for one', () => {
  const { devices } = life(
    new Map<string, unknown>([
      ['binding/a', 'nonsense'],
      ['binding/b', { aor: 'x' }],
      ['call/c', registered()],
    ]),
  )
  assert.equal(devices.restore(), 0)
})

test('a registration that runs out is a fact of its company, and is forgotten in the journal', () => {
  const kept = registered()
  const { clock, devices, facts } = life(kept)
  devices.restore()
  clock.advance(120_000)
  const [fact] = facts
  assert.equal(kept.size, 0)
  assert.deepEqual(fact?.kind === 'device.unregistered' && [fact.tenant, fact.device, fact.contact], ['acme', 'anna-desk', contact])
})

test('a dialog whose path is gone finds the phone where it is registered now', () => {
  const { devices } = life(registered())
  devices.restore()
  assert.equal(devices.flowTo(dialog('<sip:anna1@acme.example>'))?.remote.port, 40_000)
  assert.equal(devices.flowTo(dialog('<sip:oleg1@acme.example>')), null)
  assert.equal(devices.flowTo(dialog('<sip:anna1@elsewhere.example>')), null)
  assert.equal(devices.flowTo(dialog('nonsense')), null)
})

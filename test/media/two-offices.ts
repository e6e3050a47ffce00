import assert from 'node:assert/strict'
import type { Codec } from '#media/engine.ts'
import { LossyWire } from '#test/media/lossy-wire.ts'
import { TalkingPhone } from '#test/media/talking-phone.ts'
import type { WireCall } from '#test/support/wire-phone.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'

const password = 'correct horse battery'
const frameMs = 20
export const pin = '4711'
export const conferenceNumber = '+37167200099'

/** The number of a line of the office in the west, and thereby the name of its call on the wire. */
export const numberOf = (line: number): string => `+371672000${String(line).padStart(2, '0')}`

/** A phone in the east and one in the west, for one call between them. */
export interface Line {
  number: string
  east: TalkingPhone
  west: TalkingPhone
}

/** Two companies, each with a system of its own, that are each other's carrier, over a bad wire. All that the phones say is driven by one beat. */
export class TwoOffices implements AsyncDisposable {
  readonly east: AcmeSystem
  readonly west: AcmeSystem
  readonly wire: LossyWire
  readonly #phones: TalkingPhone[] = []
  readonly #open: AsyncDisposableStack

  private constructor(parts: { east: AcmeSystem; west: AcmeSystem; wire: LossyWire; open: AsyncDisposableStack }) {
    this.east = parts.east
    this.west = parts.west
    this.wire = parts.wire
    this.#open = parts.open
  }

  /** A line for each pair of codecs. On the wire audio is A-law. */
  static async start(lines: readonly (readonly [Codec, Codec])[], seed: number): Promise<{ offices: TwoOffices; lines: Line[] }> {
    await using opening = new AsyncDisposableStack()
    const east = opening.use(await AcmeSystem.start(acme()))
    const west = opening.use(await AcmeSystem.start(acme()))
    const wire = opening.use(await LossyWire.open([east.sip, west.sip], { seed, calls: lines.length + 1 }))
    const trunkTo = (id: string, at: { address: string; port: number }): Doc =>
      trunk(id, at.address, at.port, { codecs: ['PCMA'], encryption: 'off' })
    const devices = (side: 0 | 1): Doc[] =>
      lines.flatMap((codecs, line): Doc[] => [
        { kind: 'device', id: `d${line}`, username: `phone${line}`, password, algorithms: ['MD5'], codecs: [codecs[side]] },
        { kind: 'extension', id: String(200 + line), number: String(200 + line), target: { device: `d${line}` } },
      ])
    await east.apply(acme(...devices(0), trunkTo('west', wire.shown[0]), everythingTo('west')))
    await west.apply(
      acme(
        ...devices(1),
        trunkTo('east', wire.shown[1]),
        ...lines.map(
          (_, line): Doc => ({ kind: 'number', id: `n${line}`, number: numberOf(line), target: { extension: String(200 + line) } }),
        ),
        { kind: 'conference', id: 'weekly', pin, tones: false, music: false },
        { kind: 'number', id: 'meet', number: conferenceNumber, target: { conference: 'weekly' } },
        { kind: 'extension', id: '800', number: '800', target: { conference: 'weekly' } },
      ),
    )
    const offices = new TwoOffices({ east, west, wire, open: opening.move() })
    const made: Line[] = []
    for (const [line, [eastCodec, westCodec]] of lines.entries())
      made.push({
        number: numberOf(line),
        east: await offices.#phone(east, line, eastCodec),
        west: await offices.#phone(west, line, westCodec),
      })
    offices.#beat()
    return { offices, lines: made }
  }

  async #phone(at: AcmeSystem, line: number, codec: Codec): Promise<TalkingPhone> {
    const phone = this.#open.use(await TalkingPhone.open({ user: `phone${line}`, domain: 'acme.test', password }, at.sip, codec))
    assert.equal((await phone.phone.register()).status, 200)
    this.#phones.push(phone)
    return phone
  }

  /** Beats that were late are caught up, so that the phones' clocks run true on a busy machine. */
  #beat(): void {
    const startedAt = performance.now()
    let beats = 0
    const timer = setInterval(() => {
      while (beats * frameMs < performance.now() - startedAt) {
        beats++
        for (const phone of this.#phones) phone.beat()
      }
    }, frameMs / 2)
    this.#open.defer(() => clearInterval(timer))
  }

  /** The phone in the east calls the one in the west; resolves when both talk. */
  async call({ number, east, west }: Line): Promise<{ caller: WireCall; callee: WireCall }> {
    const [caller, callee] = await Promise.all([east.phone.call(number), west.phone.answered()])
    assert.equal(caller.status, 200, `${number}: ${caller.message.first}`)
    east.talk(caller)
    west.talk(callee)
    return { caller, callee }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#open.disposeAsync()
  }
}

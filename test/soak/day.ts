import { originate } from '#server/calls/originate.ts'
import { Puppet } from '#sip/agent/memory-town.ts'
import { carriers, domain, numbers, users } from '#test/soak/company.ts'
import { House, tenant } from '#test/soak/house.ts'
import { type Habit, Host, Phone, type Talk, type Watching } from '#test/soak/phone.ts'

const minuteMs = 60_000
const attackers = 5

/** One thing that people do. */
type Scene = () => void

/** People who use a house as people do: seeded, so that a day can be lived again. */
export class Day {
  readonly house: House
  readonly phones: Phone[] = []
  readonly carriers: Host[] = []
  readonly #attackers: Puppet[] = []
  readonly #watchings: Watching[] = []
  /** How often each scene was played. */
  readonly played = new Map<string, number>()

  private constructor(house: House) {
    this.house = house
  }

  static async begin(seed: number): Promise<Day> {
    const day = new Day(await House.open(seed))
    const { house } = day
    const { town, random } = house
    for (const address of carriers) day.carriers.push(new Host(house, await town.move(address, { random }), () => day.#habit()))
    for (const [i, user] of users.entries()) {
      const citizen = await town.move(`10.0.0.${i + 1}`, { random })
      day.phones.push(new Phone(house, citizen, { user, habit: () => day.#habit() }))
    }
    for (let i = 0; i < attackers; i++) day.#attackers.push(new Puppet(town, `203.0.113.${i + 1}`))
    await town.pass(30_000)
    return day
  }

  /** An hour: a busy quarter, and three in which phones only stay registered. `calls`: how many scenes in the busy quarter. */
  async hour(calls: number): Promise<void> {
    const { town } = this.house
    this.house.configure()
    for (let i = 0; i < 10; i++) this.#watch()
    const scenes = Object.entries(this.#scenes)
    for (let i = 0; i < calls; i++) {
      const [name, play] = this.#of(scenes)
      play()
      this.played.set(name, (this.played.get(name) ?? 0) + 1)
      await town.pass((15 * minuteMs) / calls)
    }
    await this.rest(45 * minuteMs)
  }

  /** Time passes; what the fakes noted is thrown away. */
  async rest(ms: number): Promise<void> {
    await this.house.town.pass(ms)
    this.house.arrived.length = 0
    for (const { citizen } of [...this.phones, ...this.carriers]) {
      citizen.invites.length = 0
      citizen.requests.length = 0
      citizen.strays.length = 0
      citizen.bound.length = 0
      citizen.unbound.length = 0
      citizen.transport.arrived.length = 0
    }
    for (const puppet of this.#attackers) {
      puppet.requests.length = 0
      puppet.responses.length = 0
      puppet.transport.arrived.length = 0
    }
  }

  /** Everybody goes home: half unregister, the others vanish. */
  async end(): Promise<void> {
    for (const host of [...this.phones, ...this.carriers]) {
      if (host.isGone) await host.comeBack()
      host.habit = () => ({ does: 'refuse', afterMs: 0, status: 480 })
    }
    for (const [i, phone] of this.phones.entries()) {
      void phone.registration.stop()
      if (i % 2 === 0) await phone.vanish()
    }
    for (const watching of this.#watchings) watching.forget()
    await this.rest(3 * 60 * minuteMs)
  }

  readonly #scenes: Record<string, Scene> = {
    'two colleagues talk': () => this.#talk(this.#phone(), this.#phone()),
    'and again': () => this.#talk(this.#phone(), this.#phone()),
    'somebody gives up': () => {
      const invite = this.#phone().dial(this.#phone().user)
      this.#after(200 + this.#below(8_000), () => invite.cancel())
    },
    'somebody is held': () =>
      this.#talk(this.#phone(), this.#phone(), (talk) => {
        this.#after(2_000, () => talk.hold(true))
        this.#after(7_000, () => talk.hold(false))
      }),
    'a call is transferred': () =>
      this.#talk(this.#phone(), this.#phone(), (talk) => this.#after(2_000, () => talk.refer(`<sip:${this.#phone().user}@${domain}>`))),
    'a call is transferred after asking': () => {
      const [asks, asked] = [this.#phone(), this.#phone()]
      this.#talk(asks, this.#phone(), (talk) => {
        talk.hold(true)
        asks.dial(asked.user, (other) => {
          this.#after(3_000, () => talk.referTo(asked.user, other))
          this.#after(20_000, () => other.hangUp())
        })
      })
    },
    'a call is parked': () =>
      this.#talk(this.#phone(), this.#phone(), (talk) => {
        this.#after(1_000, () => talk.refer(`<sip:*70@${domain}>`))
        if (this.#below(10) < 7) this.#after(8_000, () => this.#dial(this.#of(['701', '702', '703'])))
      }),
    'a call is picked up': () => {
      const rung = this.#phone()
      this.#phone().dial(rung.user)
      this.#after(700, () => this.#dial(this.#below(2) === 0 ? `**${rung.user}` : '*8'))
    },
    'some meet': () => {
      for (let i = 2 + this.#below(4); i > 0; i--) this.#after(this.#below(10_000), () => this.#dial('800'))
    },
    'somebody wants to be called back': () => {
      const wants = this.#phone()
      const invite = wants.dial(this.#phone().user)
      this.#after(6_000, () => invite.cancel())
      this.#after(9_000, () => wants.dial('*37', (talk) => this.#after(3_000, () => talk.hangUp())))
    },
    'somebody clicks to call': () => {
      const to = this.#below(2) === 0 ? this.#phone().user : '+442079460000'
      originate(this.house.exchange, { tenant, extension: this.#phone().user, to })
      for (const phone of this.phones) for (const talk of phone.talks) this.#after(30_000, () => talk.hangUp())
    },
    'a call comes from outside': () => this.#callIn(numbers.phone),
    'a caller is led through a menu': () => {
      this.#callIn(numbers.menu, (talk) => this.#after(1_500, () => talk.press(this.#of(['1', '1', '2', '9']))))
    },
    'a call is recorded': () => this.#callIn(numbers.recorded),
    'somebody calls out': () => this.#dial('+442079460123'),
    'somebody calls for help': () => this.#dial('112'),
    'somebody dials nonsense': () => this.#dial('98765'),
    'a carrier is down for a while': () => {
      const carrier = this.#of(this.carriers)
      if (this.carriers.some(({ isGone }) => isGone)) return
      void carrier.vanish()
      this.#after(3 * minuteMs, () => void carrier.comeBack())
      for (let i = 1; i < 5; i++) this.#after(i * 5_000, () => this.#dial('+442079460456'))
    },
    'a phone vanishes while it talks': () => {
      const phone = this.#phone()
      this.#talk(phone, this.#phone())
      this.#after(10_000, () => void phone.vanish())
      this.#after((5 + this.#below(40)) * minuteMs, () => {
        if (phone.isGone) void phone.comeBack().then(() => phone.registration.startOver())
      })
    },
    'a phone begins anew': () => {
      const phone = this.#phone()
      if (!phone.isGone) phone.registration.startOver()
    },
    'somebody writes': () => void this.#phone().say(this.#phone().user, 'Coming?'),
    'somebody guesses': () => void this.#phone().guess(),
    'a stranger sends garbage': () => {
      const puppet = this.#of(this.#attackers)
      const flow = puppet.flowTo('192.0.2.1')
      for (const lines of [
        ['INVITE sip:1 SIP/2.0', 'Via: x'],
        ['\0\0\0'],
        ['REGISTER sip:soak.example SIP/2.0', 'To: <'],
        ['SIP/2.0 200 OK'],
      ])
        puppet.say(flow, lines)
      puppet.say(flow, [
        'BYE sip:host@192.0.2.1 SIP/2.0',
        `Via: SIP/2.0/UDP ${puppet.transport.local.address};branch=z9hG4bK${this.house.random.hex(6)}`,
        ...['From: <sip:a@x>;tag=1', 'To: <sip:b@x>;tag=2', `Call-ID: ${this.house.random.hex(6)}`, 'CSeq: 1 BYE', 'Max-Forwards: 70'],
      ])
    },
    'the database is away': () => {
      this.house.databaseTakes = false
      this.#after(2 * minuteMs, () => void (this.house.databaseTakes = true))
    },
  }

  #talk(caller: Phone, callee: Phone, talks: (talk: Talk) => void = () => undefined): void {
    if (caller === callee || caller.isGone) return
    caller.dial(callee.user, (talk) => {
      talks(talk)
      this.#converse(talk)
    })
  }

  #dial(to: string): void {
    const phone = this.#phone()
    if (!phone.isGone) phone.dial(to, (talk) => this.#converse(talk))
  }

  #callIn(to: string, talks: (talk: Talk) => void = () => undefined): void {
    const carrier = this.#of(this.carriers)
    if (carrier.isGone) return
    const from = `<sip:+4420794${10_000 + this.#below(80_000)}@${carrier.address}>`
    carrier.call(to, {
      from,
      talks: (talk) => {
        talks(talk)
        this.#converse(talk)
      },
    })
  }

  /** They talk for up to a minute, then the caller hangs up. */
  #converse(talk: Talk): void {
    const ms = 3_000 + this.#below(40_000)
    this.#after(ms / 2, () => talk.speak())
    this.#after(ms, () => talk.hangUp())
  }

  #watch(): void {
    const phone = this.#phone()
    if (phone.isGone) return
    const event = this.#of(['dialog', 'dialog', 'presence', 'reg'])
    void phone.watch(event, event === 'reg' ? phone.user : this.#phone().user, 300 + this.#below(1_200)).then((watching) => {
      if (watching === null) return
      this.#watchings.push(watching)
      this.#after((4 + this.#below(10)) * minuteMs, () => void watching.refresh(this.#below(3) === 0 ? 0 : 600))
      this.#after(40 * minuteMs, () => {
        watching.forget()
        this.#watchings.splice(this.#watchings.indexOf(watching), 1)
      })
    })
  }

  #habit(): Habit {
    const chance = this.#below(100)
    const afterMs = 300 + this.#below(5_000)
    if (chance < 65) return { does: 'answer', afterMs }
    if (chance < 85) return { does: 'refuse', afterMs, status: this.#of([486, 603, 480, 503, 302]) }
    return { does: 'ignore' }
  }

  #phone(): Phone {
    return this.#of(this.phones)
  }

  #of<T>(things: readonly T[]): T {
    const thing = things[this.#below(things.length)]
    if (thing === undefined) throw new Error('there is nothing to choose from')
    return thing
  }

  #below(limit: number): number {
    return this.house.random.below(limit)
  }

  #after(ms: number, task: () => void): void {
    this.house.town.clock.after(ms, task)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.house[Symbol.asyncDispose]()
  }
}

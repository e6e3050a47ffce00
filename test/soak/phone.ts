import type { SocketAddress } from '#media/engine.ts'
import { rtp } from '#media/engine/test-rig.ts'
import type { MemorySocket } from '#media/socket/memory-socket.ts'
import type { Body, DialogEvents, EventDialog, IncomingInvite, InviteDialog, OutgoingEvents, OutgoingInvite } from '#sip/agent.ts'
import type { Citizen } from '#sip/agent/memory-town.ts'
import { Registration } from '#sip/registrar/registration.ts'
import { domain, password } from '#test/soak/company.ts'
import { type House, server } from '#test/soak/house.ts'

/** What somebody does who is called: after `afterMs` answers, refuses with a status, or does nothing. */
export type Habit = { does: 'answer'; afterMs: number } | { does: 'refuse'; afterMs: number; status: number } | { does: 'ignore' }

/** A call as one of its parties has it. */
export class Talk implements DialogEvents {
  dialog: InviteDialog | null = null
  over = false
  readonly #host: Host
  readonly #socket: MemorySocket
  #peer: SocketAddress | null = null
  #sequence = 0
  #version = 1

  constructor(host: Host) {
    this.#host = host
    this.#socket = host.house.audio.open({ address: host.address, port: host.nextPort() })
    host.talks.add(this)
  }

  offer(direction = 'sendrecv'): Body {
    const { address, port } = this.#socket.local
    const lines = ['v=0', `o=- ${port} ${this.#version++} IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0']
    const media = [`m=audio ${port} RTP/AVP 8 101`, 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', `a=${direction}`]
    return { contentType: 'application/sdp', bytes: Buffer.from(`${[...lines, ...media].join('\r\n')}\r\n`) }
  }

  hear(body: Uint8Array): void {
    const text = Buffer.from(body).toString('latin1')
    const port = Number(/^m=audio (\d+)/m.exec(text)?.[1] ?? 0)
    const address = /^c=IN IP4 (\S+)/m.exec(text)?.[1]
    if (port > 0 && address !== undefined) this.#peer = { address, port }
  }

  /** Says a word: five packets. */
  speak(): void {
    if (this.#peer === null || this.over) return
    for (let i = 0; i < 5; i++) this.#socket.send(rtp({ sequence: this.#sequence++, ssrc: this.#socket.local.port }), this.#peer)
  }

  hold(on: boolean): void {
    this.dialog?.reinvite(this.offer(on ? 'sendonly' : 'sendrecv'), (_result, acknowledge) => acknowledge())
  }

  press(digit: string): void {
    const body = { contentType: 'application/dtmf-relay', bytes: Buffer.from(`Signal=${digit}\r\nDuration=160\r\n`) }
    void this.dialog?.request('INFO', [], body)
  }

  refer(to: string): void {
    void this.dialog?.request('REFER', [['Refer-To', to]])
  }

  /** Transfers to whom this phone has asked in another call. */
  referTo(to: string, other: Talk): void {
    const { dialog } = other
    if (dialog === null) return
    const replaces = encodeURIComponent(`${dialog.callId};to-tag=${dialog.remoteTag};from-tag=${dialog.localTag}`)
    this.refer(`<sip:${to}@${domain}?Replaces=${replaces}>`)
  }

  hangUp(): void {
    if (this.over) return
    this.dialog?.bye()
    this.close()
  }

  close(): void {
    if (this.over) return
    this.over = true
    this.#socket.close()
    this.#host.talks.delete(this)
  }

  onReinvite: DialogEvents['onReinvite'] = (request, reply) => {
    this.hear(request.body)
    reply.accept(this.offer())
  }
  onRequest: NonNullable<DialogEvents['onRequest']> = (incoming) => {
    incoming.respond(200)
  }
  onEnded = (): void => this.close()
}

/** Somewhere that calls and is called: a phone, or a carrier. */
export class Host {
  readonly house: House
  readonly address: string
  readonly citizen: Citizen
  readonly talks = new Set<Talk>()
  /** Asked for each call that comes. */
  habit: () => Habit
  isGone = false
  #port = 30_000

  constructor(house: House, citizen: Citizen, habit: () => Habit) {
    this.house = house
    this.citizen = citizen
    this.address = citizen.address
    this.habit = habit
    citizen.onInvite = (incoming) => this.#rung(incoming)
  }

  nextPort(): number {
    this.#port = this.#port >= 60_000 ? 30_000 : this.#port + 2
    return this.#port
  }

  /** Calls; `talks` when it is answered. */
  call(
    to: string,
    { from, credentials, talks }: { from: string; credentials?: { user: string; password: string }; talks?: (talk: Talk) => void },
  ): OutgoingInvite {
    const talk = new Talk(this)
    const events: OutgoingEvents = {
      onAnswered: (response, dialog) => {
        talk.dialog = dialog
        talk.hear(response.body)
        dialog.acknowledge()
        talk.speak()
        talks?.(talk)
      },
      onFailed: () => talk.close(),
      dialog: talk,
    }
    const whom = `<sip:${to}@${domain}>`
    return this.citizen.agent.invite(
      {
        ...{ uri: `sip:${to}@${domain}`, from, to: whom, via: server, body: talk.offer(), contactUser: 'host' },
        ...(credentials !== undefined && { credentials }),
      },
      events,
    )
  }

  /** Vanishes without a word: what is sent to it is lost, and what it wants to send, too. */
  async vanish(): Promise<void> {
    this.isGone = true
    for (const talk of [...this.talks]) talk.close()
    await this.citizen.transport.close()
  }

  async comeBack(): Promise<void> {
    this.isGone = false
    await this.citizen.agent.start()
  }

  #rung(incoming: IncomingInvite): void {
    const habit = this.habit()
    const { clock } = this.house.town
    const talk = new Talk(this)
    let waiting: Disposable | null = null
    incoming.onCancelled = () => {
      waiting?.[Symbol.dispose]()
      talk.close()
    }
    incoming.progress(180)
    if (habit.does === 'ignore') return
    waiting = clock.after(habit.afterMs, () => {
      if (habit.does === 'refuse') {
        incoming.reject(habit.status)
        talk.close()
        return
      }
      talk.hear(incoming.request.body)
      talk.dialog = incoming.accept(talk.offer(), talk)
      talk.speak()
    })
  }
}

interface Asked {
  headers?: readonly (readonly [string, string])[]
  body?: Body
  secret?: string
}

/** A registered phone. */
export class Phone extends Host {
  readonly user: string
  readonly registration: Registration

  constructor(house: House, citizen: Citizen, { user, habit }: { user: string; habit: () => Habit }) {
    super(house, citizen, habit)
    this.user = user
    this.registration = new Registration(
      { clock: house.town.clock, random: house.random, agent: citizen.agent },
      {
        ...{ registrar: `sip:${domain}`, aor: `<sip:${user}@${domain}>`, contactUser: user, via: () => server, expires: 600 },
        credentials: { user, password },
      },
    )
    this.registration.start()
  }

  dial(to: string, talks?: (talk: Talk) => void): OutgoingInvite {
    const credentials = { user: this.user, password }
    return this.call(to, { from: `<sip:${this.user}@${domain}>`, credentials, ...(talks !== undefined && { talks }) })
  }

  async say(to: string, text: string): Promise<void> {
    await this.#ask('MESSAGE', to, { body: { contentType: 'text/plain', bytes: Buffer.from(text) } })
  }

  /** Asks with a password that is wrong. */
  async guess(): Promise<void> {
    await this.#ask('OPTIONS', this.user, { secret: 'wrong' })
  }

  /** Subscribes; the subscription is refreshed by `refresh` and runs out without. Null: refused. */
  async watch(event: string, name: string, expires: number): Promise<Watching | null> {
    const response = await this.#ask('SUBSCRIBE', name, {
      headers: [
        ['Event', event],
        ['Expires', String(expires)],
      ],
    })
    if (response.kind !== 'response' || response.status !== 200) return null
    const { headers } = response
    const contact = headers.contacts === '*' ? undefined : headers.contacts[0]
    if (contact === undefined) return null
    const dialog = this.citizen.agent.adoptEvents(
      {
        ...{ callId: headers.callId, localTag: headers.from.tag ?? '', remoteTag: headers.to.tag ?? '' },
        ...{ localUri: `sip:${this.user}@${domain}`, remoteUri: `sip:${name}@${domain}`, remoteTarget: contact.uri, routeSet: [] },
        ...{ localSeq: headers.cseq.seq, remoteSeq: 0, secure: false },
        flow: { transport: 'udp', local: this.citizen.transport.local, remote: server, connection: null },
      },
      (incoming) => incoming.respond(200),
    )
    return new Watching(dialog, event)
  }

  #ask(method: string, to: string, { headers = [], body, secret = password }: Asked) {
    return this.citizen.agent.request({
      ...{ method, uri: `sip:${to}@${domain}`, from: `<sip:${this.user}@${domain}>`, to: `<sip:${to}@${domain}>`, via: server, headers },
      ...{ contactUser: this.user, credentials: { user: this.user, password: secret }, ...(body !== undefined && { body }) },
    })
  }
}

/** A subscription as the phone has it. */
export class Watching {
  readonly #dialog: EventDialog
  readonly #event: string

  constructor(dialog: EventDialog, event: string) {
    this.#dialog = dialog
    this.#event = event
  }

  /** False: it is gone. */
  async refresh(expires: number): Promise<boolean> {
    const answer = await this.#dialog.request('SUBSCRIBE', [
      ['Event', this.#event],
      ['Expires', String(expires)],
    ])
    const goes = answer.kind === 'response' && answer.status === 200
    if (!goes || expires === 0) this.forget()
    return goes
  }

  forget(): void {
    this.#dialog.forget()
  }
}

import { systemClock } from '#base/clock.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import type { Settings } from '#server/settings.ts'
import type { ApiClient } from '#tools/lib/api-client.ts'
import { type PhoneNotice, type PhoneSpec, SoftPhone } from '#tools/lib/soft-phone.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** What a phone must be told to register. */
export interface Credentials {
  user: string
  password: string
  domain: string
}

/** The credentials of the phone behind an extension, from the system's owner to itself. */
export async function credentialsOf(api: ApiClient, extension: string): Promise<Credentials> {
  const { devices } = await api.get<{ devices: { id: string; extensions: string[] }[] }>('/v1/devices')
  const device = devices.find((each) => each.extensions.includes(extension))
  if (device === undefined) {
    const known = devices.flatMap((each) => each.extensions)
    throw new Trouble(`No phone belongs to extension ${extension}. There are phones for: ${known.join(', ') || 'none'}`)
  }
  return api.get<Credentials>(`/v1/devices/${encodeURIComponent(device.id)}/credentials`)
}

/** Where a phone on this machine reaches the system in this project's folder. */
export function ownServer(settings: Settings, transport: 'udp' | 'tcp' = 'udp'): PhoneSpec['server'] {
  const address = settings.sip.addresses[0] ?? '127.0.0.1'
  const wild: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  return { transport, address: wild[address] ?? address, port: settings.sip.port }
}

/** Brings up a phone that is registered when this resolves. */
export async function bringUp(spec: PhoneSpec, notice: (notice: PhoneNotice) => void): Promise<SoftPhone> {
  const phone = await SoftPhone.open({ clock: systemClock, random: machineRandom() }, spec, notice)
  try {
    await phone.registered
    return phone
  } catch (fault) {
    await phone[Symbol.asyncDispose]()
    throw new Trouble(fault instanceof Error ? fault.message : String(fault))
  }
}

/** A notice as a sentence. */
export function noticeText(notice: PhoneNotice): string {
  switch (notice.kind) {
    case 'registered':
      return `registered for ${notice.seconds} s`
    case 'not-registered':
      return `not registered: ${notice.down.detail}; tries again in ${Math.round(notice.down.retryIn / 1000)} s`
    case 'ringing':
      return `rings: ${notice.from}`
    case 'answered':
      return 'answers'
    case 'declined':
      return 'declines'
    case 'stopped-ringing':
      return `stops ringing${notice.reason === null ? '' : `: ${notice.reason}`}`
    case 'digit':
      return `hears key ${notice.digit}`
    case 'ended':
      return notice.by === 'phone' ? 'hangs up' : 'is hung up on'
  }
}

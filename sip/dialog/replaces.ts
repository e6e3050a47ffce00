import { unescaped } from '#sip/message/escape.ts'

/** The dialog that an INVITE or a Refer-To wants to take the place of, as its sender names it (RFC 3891 §6.1). */
export interface Replaces {
  readonly callId: string
  /** Tag of the side that gets the INVITE. */
  readonly toTag: string
  readonly fromTag: string
  /** Only a dialog without an answer. */
  readonly earlyOnly: boolean
}

/** A dialog as it is named by others. */
export interface DialogName {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
}

/** Reads the value of a Replaces header; null unless it names a dialog with both tags, once each. */
export function parseReplaces(value: string): Replaces | null {
  const [callId = '', ...params] = value.split(';').map((part) => part.trim())
  const named = new Map<string, string>()
  for (const param of params) {
    const [, name, text = ''] = /^([^=\s]+)\s*(?:=\s*(.*))?$/.exec(param) ?? []
    if (name === undefined || named.has(name.toLowerCase())) return null
    named.set(name.toLowerCase(), text)
  }
  const toTag = named.get('to-tag')
  const fromTag = named.get('from-tag')
  if (!/^[^\s<>;,]{1,256}$/.test(callId) || !isTag(toTag) || !isTag(fromTag)) return null
  return { callId, toTag, fromTag, earlyOnly: named.has('early-only') }
}

/** The Replaces that a Refer-To carries in the headers of its URI (RFC 3891 §3, RFC 5589 §7); null: none, `bad`: none to understand. */
export function replacesOfUri(uri: string): Replaces | null | 'bad' {
  const query = uri.indexOf('?')
  if (query < 0) return null
  const found = uri
    .slice(query + 1)
    .split('&')
    .filter((header) => /^replaces=/i.test(header))
  const [only] = found
  if (only === undefined) return null
  const value = found.length === 1 ? unescaped(only.slice('replaces='.length)) : undefined
  return (value === undefined ? null : parseReplaces(value)) ?? 'bad'
}

/** Whether somebody who sends us this means that dialog: our tag is the one in `to-tag` (RFC 3891 §3). */
export function isReplaced(replaces: Replaces, dialog: DialogName): boolean {
  return replaces.callId === dialog.callId && replaces.toTag === dialog.localTag && replaces.fromTag === dialog.remoteTag
}

/** The same dialog as it is named in a Refer-To: by the peer that sends the REFER, whose own tag may stand in either place (RFC 5589 §7.1). */
export function isReferredTo(replaces: Replaces, dialog: DialogName): boolean {
  const { localTag, remoteTag } = dialog
  const either = (one: string, other: string): boolean => replaces.toTag === one && replaces.fromTag === other
  return replaces.callId === dialog.callId && (either(localTag, remoteTag) || either(remoteTag, localTag))
}

function isTag(tag: string | undefined): tag is string {
  return tag !== undefined && /^[^\s<>;,]{1,256}$/.test(tag)
}

import { isToken } from '#sip/message/grammar.ts'
import { MAX_ID_LENGTH } from '#sip/message/limits.ts'
import { byLength, nameIn, type NamesByLength } from '#sip/message/params.ts'

/** Those of RFC 3261 and of its extensions. */
const METHODS: NamesByLength = byLength(
  ...[
    'INVITE',
    'ACK',
    'BYE',
    'CANCEL',
    'REGISTER',
    'OPTIONS',
    'INFO',
    'PRACK',
    'SUBSCRIBE',
    'NOTIFY',
    'UPDATE',
    'MESSAGE',
    'REFER',
    'PUBLISH',
  ],
)

/**
 * The method in `text` from `start` to `end`; undefined where there is no token, or one longer than any name. One of ours comes as the same
 * text each time, and holds no message.
 */
export function methodIn(text: string, start: number, end: number): string | undefined {
  const ours = nameIn(METHODS, text, start, end)
  if (ours !== undefined) return ours
  const method = text.slice(start, end)
  return method.length <= MAX_ID_LENGTH && isToken(method) ? method : undefined
}

/** Whether a text has control characters (C0 or DEL). To look costs a tenth of replacing them, and hardly any text has any. */
export function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

import { header, newBranch, newTag, Wire } from '#test/support/wire.ts'

const againMs = 100

/** Resolves when somebody answers OPTIONS there: how a SIP program is known to have started. */
export async function untilAnswered(at: { address: string; port: number }): Promise<void> {
  await using wire = await Wire.open(at, '127.0.0.1')
  const callId = newTag()
  const ask = (): void =>
    wire.send(
      [
        `OPTIONS sip:${at.address}:${at.port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${wire.port};branch=${newBranch()};rport`,
        'Max-Forwards: 70',
        `From: <sip:probe@127.0.0.1>;tag=${newTag()}`,
        `To: <sip:${at.address}>`,
        `Call-ID: ${callId}`,
        'CSeq: 1 OPTIONS',
        `Contact: <sip:probe@127.0.0.1:${wire.port}>`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    )
  ask()
  const again = setInterval(ask, againMs)
  try {
    await wire.next(`answer of ${at.address}:${at.port}`, (message) => message.status >= 200 && header(message, 'call-id') === callId)
  } finally {
    clearInterval(again)
  }
}

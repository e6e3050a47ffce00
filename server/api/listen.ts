import { listenError } from '#sip/transport/port-taken.ts'

/**
 * Opens the port of the page and the API.
 * @throws ListenError when it cannot be had, with who has it and the setting to change.
 */
export async function listenForHttp(
  app: { listen(at: { host: string; port: number }): Promise<unknown> },
  at: { address: string; port: number },
): Promise<void> {
  try {
    await app.listen({ host: at.address, port: at.port })
  } catch (fault) {
    if (!(fault instanceof Error)) throw fault
    const cause: NodeJS.ErrnoException = fault
    const setting = cause.code === 'EADDRNOTAVAIL' ? 'CENTRALA_HTTP_ADDRESS' : 'CENTRALA_HTTP_PORT'
    throw listenError('tcp', { ...at, setting }, cause)
  }
}

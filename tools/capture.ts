import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { ApiClient } from '#tools/lib/api-client.ts'
import { openApi, ownSettings } from '#tools/lib/installation.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'

const usage = `Usage: npx centrala capture <call id> [file] [options]

Writes the packets of a call to a file that Wireshark, tshark and tcpdump open (pcapng), or to the standard output: its SIP messages, secrets
masked, and the RTP that was captured of it.

  --rtp seconds    first captures the RTP of the call, which must be in progress, for so long: headers only
  --audio seconds  the same with the audio in it: who has the file can listen
  --force          replaces a file that is there already
  --company demo   where there are several`

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      rtp: { type: 'string' },
      audio: { type: 'string' },
      force: { type: 'boolean', default: false },
      company: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [call, file, ...more] = positionals
  if (values.help || call === undefined || more.length > 0) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  if (file === undefined && process.stdout.isTTY) throw new Trouble('A capture is no text: name a file, or redirect the output to one.')
  const api = await openApi(ownSettings(), values.company)
  const path = `/v1/calls/${encodeURIComponent(call)}/capture`
  const seconds = values.audio ?? values.rtp
  if (seconds !== undefined) await captureFor(api, path, { seconds: Number(seconds), audio: values.audio !== undefined })
  const bytes = await api.bytes(path)
  if (file === undefined) process.stdout.write(bytes)
  else await writeFile(file, bytes, { flag: values.force ? 'w' : 'wx', mode: 0o600 }).catch(refuseToReplace)
  if (file !== undefined) console.log(`${file}: ${bytes.length} bytes.`)
  return 0
}

async function captureFor(api: ApiClient, path: string, wish: { seconds: number; audio: boolean }): Promise<void> {
  await api.send('POST', path, { body: wish })
  await new Promise((resolve) => setTimeout(resolve, wish.seconds * 1_000))
  // The call, and the capture with it, may be over by now.
  await api.send('DELETE', path).catch(() => undefined)
}

function refuseToReplace(fault: unknown): never {
  if (fault instanceof Error && 'code' in fault && fault.code === 'EEXIST')
    throw new Trouble('The file is there already. Give another name, or --force.')
  throw fault
}

await runCommand(main)

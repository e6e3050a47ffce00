import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDocuments } from '#server/config/read.ts'
import { ofKind } from '#server/config/of-kind.ts'

/**
 * Makes the sound files of the demo company from the texts of its prompt documents: `node tools/make-demo-prompts.ts`. Needs espeak-ng. The
 * result is 8 kHz, 16 bit, mono, so that calls play it without resampling.
 */
const folder = join(import.meta.dirname, '../examples/demo')
const rateHz = 8000
const peak = 0.5

/** Samples of a mono 16-bit WAV, as espeak-ng writes it: the sizes in its header are not to be trusted on a pipe. */
function samplesOf(wav: Buffer): { samples: Float64Array; hz: number } {
  const start = wav.indexOf('data') + 8
  const samples = new Float64Array((wav.length - start) >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = wav.readInt16LE(start + 2 * i) / 32768
  return { samples, hz: wav.readUInt32LE(24) }
}

/** Windowed-sinc resampling to 8 kHz: 32 zero crossings a side, Hann window, cut off at 3.6 kHz. */
function resample(samples: Float64Array, hz: number): Float64Array {
  const cut = (2 * 3600) / hz
  const reach = Math.ceil(32 / cut)
  return Float64Array.from({ length: Math.floor((samples.length * rateHz) / hz) }, (_, n) => {
    const at = (n * hz) / rateHz
    let sum = 0
    for (let i = Math.ceil(at - reach); i <= at + reach; i++) {
      const x = i - at
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / reach)
      sum += (samples[i] ?? 0) * cut * sinc(cut * x) * window
    }
    return sum
  })
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** With a breath of silence at both ends and the same loudness everywhere. */
function wavOf(samples: Float64Array): Buffer {
  const [lead, tail] = [0.15 * rateHz, 0.3 * rateHz]
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const gain = loudest === 0 ? 0 : (peak * 32767) / loudest
  const dataBytes = 2 * (lead + samples.length + tail)
  const wav = Buffer.alloc(44 + dataBytes)
  wav.write('RIFF', 0, 'latin1')
  wav.writeUInt32LE(36 + dataBytes, 4)
  wav.write('WAVEfmt ', 8, 'latin1')
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(rateHz, 24)
  wav.writeUInt32LE(2 * rateHz, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36, 'latin1')
  wav.writeUInt32LE(dataBytes, 40)
  for (const [i, sample] of samples.entries()) wav.writeInt16LE(Math.round(sample * gain), 44 + 2 * (lead + i))
  return wav
}

function speak(text: string, language: string): Buffer {
  const run = spawnSync('espeak-ng', ['-v', language, '-s', '155', '--stdout', text], { maxBuffer: 50_000_000 })
  if (run.status !== 0) throw new Error(`espeak-ng failed: ${run.error?.message ?? run.stderr.toString()}`)
  return run.stdout
}

const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const { documents } = readDocuments(files.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') })))
const language = ofKind(documents, 'company')[0]?.language ?? 'en'
for (const prompt of ofKind(documents, 'prompt')) {
  if (prompt.file === undefined || prompt.text === undefined) continue
  const { samples, hz } = samplesOf(speak(prompt.text, prompt.language ?? language))
  const wav = wavOf(resample(samples, hz))
  writeFileSync(join(folder, prompt.file), wav)
  process.stdout.write(`${prompt.file}: ${((wav.length - 44) / 2 / rateHz).toFixed(1)} s\n`)
}

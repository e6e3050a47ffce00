import { engine, type Mutant } from '#test/mutants/mutant.ts'

const noise = 'test/media/comfort-noise.test.ts'

/** Of comfort noise (RFC 3389), which only a peer can show that is none of ours. */
export const noiseMutants: readonly Mutant[] = [
  {
    name: 'what a peer tells of noise is not heard where we decode',
    ...{ file: 'media/pipeline.ts', in: engine },
    text: '    this.#decoding.noise(packet, header, own.codec)\n    this.wake()\n',
    becomes: '    this.wake()\n',
    test: { file: noise, name: 'with G722' },
    // No gap is left between the words.
    notices: /heard \[(?:\{"kind":"silence"[^}]*\},)?\{"kind":"sound","fromMs":\d+,"toMs":(?:19|20)\d\d,[^}]*\}\]/,
  },
  {
    name: 'what a peer tells of noise is swallowed where we pass on',
    ...{ file: 'media/pipeline.ts', in: engine },
    text: 'peer.#sender.forwardOther(packet, header, stream.noisePayloadType, this)',
    becomes: 'peer.#sender.forwardOther(packet, header, null, this)',
    test: { file: noise, name: 'makes the noise itself|what it is told' },
    notices: /dB off: linphone/,
  },
  {
    name: 'noise is 10 dB louder than told',
    ...{ file: 'media/dsp/comfort-noise.ts', in: engine },
    text: '10 ** (-(level & 0x7f) / 20)',
    becomes: '10 ** ((10 - (level & 0x7f)) / 20)',
    test: { file: noise, name: 'with G722' },
    notices: /\]: (?:8|9|10|11|12), (?:8|9|10|11|12) dB off/,
  },
]

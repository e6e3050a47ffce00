import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encryptionBar, legEncryption } from '#calls/encryption.ts'
import type { AgreedMedia } from '#calls/kept.ts'
import { withKeysOpened, withKeysSealed } from '#calls/kept-keys.ts'
import type { Vault } from '#calls/needs.ts'
import type { StreamParams } from '#media/engine.ts'

const OURS = Buffer.alloc(30, 1).toString('base64')
const THEIRS = Buffer.alloc(30, 2).toString('base64')
const suite = 'AES_CM_128_HMAC_SHA1_80'
const stream: StreamParams = {
  ...{ remote: null, rtcp: null, accept: { mode: 'exact' }, codec: 'PCMA', payloadType: 8, dtmfPayloadType: null },
  ...{ direction: 'sendrecv', ptimeMs: 20, silenceMs: 0 },
}

function kept(encrypted: boolean): AgreedMedia {
  const whole = encrypted ? { ...stream, crypto: { send: { suite, key: OURS }, receive: { suite, key: THEIRS } } as const } : stream
  const attributes = [{ name: 'sendrecv', value: null }, ...(encrypted ? [{ name: 'crypto', value: `3 ${suite} inline:${OURS}` }] : [])]
  return {
    endpoint: { id: 'e1', engine: 0, local: { address: '127.0.0.1', port: 4000 }, stream: whole, rollover: { ssrc: 7, roc: 2 } },
    stream: whole,
    own: {
      ...{ kind: 'sdp', sessionName: '-', connection: null, attributes: [] },
      origin: { username: '-', sessionId: '1', version: '1', addressType: 'IP4', address: '127.0.0.1' },
      media: [{ type: 'audio', port: 4000, protocol: encrypted ? 'RTP/SAVP' : 'RTP/AVP', formats: ['8'], connection: null, attributes }],
    },
    peer: '127.0.0.2',
    codecs: ['PCMA'],
  }
}

/** Not secret, but not readable either, and bound to its place. */
const vault: Vault = {
  seal: (text, place) => Buffer.from(`${place}\n${text}`).toString('hex'),
  unseal: (sealed, place) => {
    const text = Buffer.from(sealed, 'hex').toString()
    return text.startsWith(`${place}\n`) ? text.slice(place.length + 1) : null
  },
}

test('what is written of an encrypted leg shows no key, and gives everything back', () => {
  const sealed = withKeysSealed(kept(true), vault)
  const text = JSON.stringify(sealed)
  assert.ok(!text.includes(OURS) && !text.includes(THEIRS) && !text.includes('inline'))
  assert.deepEqual(withKeysOpened(JSON.parse(text) as AgreedMedia, vault), kept(true))
})

test('a leg in clear is written as it is', () => {
  const media = kept(false)
  assert.equal(withKeysSealed(media, vault), media)
  assert.deepEqual(withKeysOpened(media, vault), media)
})

test('without the seal, or with that of another place, no key comes back and none is made up: the engine goes on with its own', () => {
  const sealed = withKeysSealed(kept(true), vault)
  const elsewhere = { ...sealed, endpoint: { ...sealed.endpoint, id: 'e2' } }
  for (const opened of [
    withKeysOpened(elsewhere, vault),
    withKeysOpened(sealed, undefined),
    withKeysOpened(withKeysSealed(kept(true), undefined), vault),
  ]) {
    assert.equal(opened.stream.crypto, undefined)
    assert.equal(opened.endpoint.stream, undefined, 'nothing that would be aimed in clear')
  }
})

test('keys go over signalling that is encrypted, over other only by the company’s word, and never where encryption is off', () => {
  const of = (use: 'required' | 'offered' | 'off', keysInClear: boolean, transport: 'udp' | 'tls' | 'wss') =>
    legEncryption({ use, keysInClear }, transport)
  assert.deepEqual(of('offered', false, 'udp'), { use: 'offered', secure: false, first: false })
  assert.deepEqual(of('offered', false, 'tls'), { use: 'offered', secure: true, first: true })
  assert.deepEqual(of('offered', true, 'udp'), { use: 'offered', secure: true, first: false })
  assert.deepEqual(of('required', true, 'udp'), { use: 'required', secure: true, first: true })
  assert.deepEqual(of('off', true, 'wss'), { use: 'off', secure: false, first: false })
  assert.match(encryptionBar({ use: 'required', keysInClear: false }, 'udp') ?? '', /over UDP would show its keys/)
  assert.equal(encryptionBar({ use: 'required', keysInClear: false }, 'tls'), null)
})

import type { FuzzTarget } from '#tools/fuzz/target.ts'

/** Every parser that takes bytes from outside, by name. Each is loaded only when it is attacked. */
export const fuzzTargets: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  sip: async () => (await import('#tools/fuzz/targets/sip.ts')).sipTarget,
  framing: async () => (await import('#tools/fuzz/targets/framing.ts')).framingTarget,
  sdp: async () => (await import('#tools/fuzz/targets/sdp.ts')).sdpTarget,
  rtp: async () => (await import('#tools/fuzz/targets/rtp.ts')).rtpTarget,
  rtcp: async () => (await import('#tools/fuzz/targets/rtcp.ts')).rtcpTarget,
  srtp: async () => (await import('#tools/fuzz/targets/srtp.ts')).srtpTarget,
  digits: async () => (await import('#tools/fuzz/targets/digits.ts')).digitsTarget,
  g722: async () => (await import('#tools/fuzz/targets/g722.ts')).g722Target,
  wav: async () => (await import('#tools/fuzz/targets/wav.ts')).wavTarget,
  ogg: async () => (await import('#tools/fuzz/targets/ogg.ts')).oggTarget,
  passport: async () => (await import('#tools/fuzz/targets/passport.ts')).passportTarget,
  stun: async () => (await import('#tools/fuzz/targets/stun.ts')).stunTarget,
  pidf: async () => (await import('#tools/fuzz/targets/pidf.ts')).pidfTarget,
  dns: async () => (await import('#tools/fuzz/targets/dns.ts')).dnsTarget,
  configuration: async () => (await import('#tools/fuzz/targets/configuration.ts')).configurationTarget,
}

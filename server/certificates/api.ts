import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { ApiError } from '#server/api/problem.ts'
import type { Certificates } from '#server/certificates/certificates.ts'

const CertificateShape = Type.Object({
  subject: Type.String(),
  issuer: Type.String(),
  serial: Type.String(),
  names: Type.Array(Type.String()),
  from: Type.Number(),
  to: Type.Number(),
  source: Type.Union([Type.Literal('made'), Type.Literal('file')]),
  fingerprint: Type.String(),
})
const Shown = Type.Object({
  certificates: Type.Array(CertificateShape),
  /** PEM text of our own authority, for phones to trust; null where the operator's certificates are shown. */
  authority: Type.Union([Type.String(), Type.Null()]),
  troubles: Type.Array(Type.String()),
})

/** The certificates of this system, for its operator. */
export function certificatesApi(app: FastifyInstance, certificates: Certificates): void {
  const shown = (): { certificates: ReturnType<typeof viewed>; authority: string | null; troubles: string[] } => ({
    certificates: viewed(certificates),
    authority: certificates.authority,
    troubles: certificates.troubles,
  })
  app.get(
    '/v1/certificates',
    { config: { role: 'operator', system: true }, schema: { summary: 'The certificates shown over TLS', response: { 200: Shown } } },
    () => Promise.resolve(shown()),
  )

  app.post(
    '/v1/certificates/reload',
    {
      config: { role: 'operator', system: true },
      schema: { summary: 'Takes up the certificates as their files are now; no call is dropped', response: { 200: Shown } },
    },
    () => {
      const trouble = certificates.reload()
      if (trouble !== null) throw new ApiError('bad-request', trouble)
      return Promise.resolve(shown())
    },
  )
}

function viewed(certificates: Certificates) {
  return certificates.views.map((view) => ({ ...view, names: [...view.names] }))
}

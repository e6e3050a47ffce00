import type { FastifyInstance } from 'fastify'
import { DoctorReport } from '#contract/api/operation.ts'
import type { Doctor } from '#server/doctor/system.ts'

/** What is wrong with this installation and what to do, for its operator. */
export function doctorApi(app: FastifyInstance, doctor: Doctor): void {
  app.get(
    '/v1/doctor',
    {
      config: { role: 'operator', system: true },
      schema: { summary: 'Examines the whole installation: what is wrong, and what to do', response: { 200: DoctorReport } },
    },
    async () => ({ findings: await doctor.examine() }),
  )
}

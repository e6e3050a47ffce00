export type { DeadJob, JobHandler, JobResult, Jobs, NewJob, RunningJob } from '#server/jobs/face.ts'
export { openJobs, pruneJobs, type JobsSettings } from '#server/jobs/jobs.ts'

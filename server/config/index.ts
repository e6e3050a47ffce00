/** Configuration documents: from files and values to a compiled configuration, and back. Pure; keeping versions is the config store's. */
export { compile, type CompileOptions } from '#server/config/compile.ts'
export type {
  CompiledConfig,
  CompiledDevice,
  CompiledEmergency,
  CompiledOutbound,
  CompiledRecording,
  CompiledTrunk,
  RecordedCall,
  SettledCompany,
} from '#server/config/compiled.ts'
export { diff, renderPlan, type DocumentChange, type FieldChange } from '#server/config/diff.ts'
export { configFuzzTarget } from '#server/config/fuzz-target.ts'
export { ofKind } from '#server/config/of-kind.ts'
export { readDocuments, readValues, type DocumentFile, type Locate, type ReadDocuments } from '#server/config/read.ts'
export { recordingsFor } from '#server/config/recordings.ts'
export { resolveRing, type ResolvedRing, type ResolvedStep, type ResolvedTarget } from '#server/config/ring-plan.ts'
export { validateCompany, type ValidateOptions } from '#server/config/validate.ts'
export { writeJson, writeYaml } from '#server/config/write.ts'

import { idle } from '#tools/bench/trials/idle.ts'
import { overload } from '#tools/bench/trials/overload.ts'
import { reregister } from '#tools/bench/trials/reregister.ts'
import { soak } from '#tools/bench/trials/soak.ts'
import type { Trial } from '#tools/bench/trials/trial.ts'

export const trials: readonly Trial[] = [idle, soak, overload, reregister]

import type { AttachKind } from './attach-kind.ts'
import { networkKinds } from './network-kinds.ts'
import { tracingKinds } from './tracing-kinds.ts'

/** Every kind of attachment there is: the registry and the support table. */
export const attachKinds: readonly AttachKind[] = [...tracingKinds, ...networkKinds]

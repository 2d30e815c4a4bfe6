export { btfLoad } from './btf-load.ts'
export type { BtfLoadFields } from './btf-load.ts'
export { effectiveCapabilities, lackingCapabilities } from './capabilities.ts'
export type { CapabilityName } from './capabilities.ts'
export { enableStats } from './enable-stats.ts'
export { errnoName, failure } from './errno.ts'
export { fakeSys } from './fake.ts'
export type { FakeBpfCall, FakeHandlers, FakeSys, RecordedCall } from './fake.ts'
export { Fd } from './fd.ts'
export { linkCreate, linkDetach, linkUpdate } from './link-create.ts'
export type { LinkCreateFields } from './link-create.ts'
export { mapBatch } from './map-batch.ts'
export type { BatchResult, MapBatch, MapBatchSizes } from './map-batch.ts'
export { mapCreate } from './map-create.ts'
export type { MapCreateFields } from './map-create.ts'
export { mapElements, mapFreeze } from './map-elements.ts'
export type { MapElements, MapElementSizes } from './map-elements.ts'
export { mapVector } from './map-vector.ts'
export type { MapVector, MapVectorSizes } from './map-vector.ts'
export { mapFile } from './map-file.ts'
export type { MappedFile } from './map-file.ts'
export { fdById, nextId, objectIds } from './object-ids.ts'
export type { ObjectKind } from './object-ids.ts'
export { btfGetInfo, linkGetInfo, mapGetInfo, objGetInfo, progGetInfo } from './object-info.ts'
export type { ProgInfoArray, ProgInfoResult } from './object-info.ts'
export { objGet, objPin } from './object-pin.ts'
export { progBindMap } from './prog-bind-map.ts'
export { progLoad, progLoadAsync } from './prog-load.ts'
export type { LoadResult, ProgLoadFields } from './prog-load.ts'
export { progTestRun } from './prog-test-run.ts'
export type { ProgTestRunFields, ProgTestRunResult } from './prog-test-run.ts'
export { rawTracepointOpen } from './raw-tracepoint-open.ts'
export { readFile, readOpenFile } from './read-file.ts'
export type { ReadFileOptions } from './read-file.ts'
export { prepareBpf } from './prepare-bpf.ts'
export type {
  AttrPointer,
  BpfCallSpec,
  Mapping,
  PreparedBpf,
  PreparedCall,
  PreparedPointer,
  Sys,
  Watch,
} from './sys.ts'
export { checked, SyscallError } from './syscall-error.ts'
export type { FailedCall } from './syscall-error.ts'
export { tracefs } from './tracefs.ts'

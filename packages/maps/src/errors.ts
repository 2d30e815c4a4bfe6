import { defineErrors } from '@tsbpf/base'

interface OfMap {
  /** Name of the map. */
  readonly map: string
}

interface OfElement extends OfMap {
  /** The key as text, short. */
  readonly key: string
}

interface Refused extends OfMap {
  readonly operation: string
  readonly key: string | undefined
  readonly errno: string
}

const ofKey = (key: string | undefined): string => (key === undefined ? '' : ` key ${key}`)

/** What can go wrong with maps. */
export const errors = defineErrors({
  MAP_DISPOSED: {
    message: (c: OfMap) => `map ${c.map} has been disposed`,
    hint: 'use the map before its object is disposed, or keep the object longer',
  },
  MAP_UNSUPPORTED_OPERATION: {
    message: (c: OfMap & { readonly type: string; readonly operation: string }) =>
      `map ${c.map}: ${c.operation} is not supported for a map of type ${c.type}`,
    hint: 'docs/support.md has the table of operations by map type',
  },
  MAP_ELEMENT_SIZE: {
    message: (c: { readonly expected: string; readonly actual: string }) =>
      `expected ${c.expected}, got ${c.actual}`,
  },
  MAP_NUMBER_RANGE: {
    message: (c: { readonly value: string }) => `${c.value} is too large for a number`,
    hint: 'use the codec without asNumbers: it gives a bigint',
  },
  MAP_CODEC_SIZE: {
    message: (
      c: OfMap & { readonly part: 'key' | 'value'; readonly expected: number; readonly actual: number },
    ) =>
      `map ${c.map}: its ${c.part} has ${c.expected} bytes, but the ${c.part} codec is for ${c.actual} bytes`,
    hint: 'give the codec of the type that the map was made with, or none to use bytes',
  },
  MAP_KEY: {
    message: (c: OfElement & { readonly expected: string }) =>
      `map ${c.map}: key ${c.key} does not fit: ${c.expected}`,
    hint: 'give a key of the shape that the map was declared with',
  },
  MAP_VALUE: {
    message: (
      c: OfMap & { readonly key: string | undefined; readonly value: string; readonly expected: string },
    ) => `map ${c.map}${ofKey(c.key)}: value ${c.value} does not fit: ${c.expected}`,
    hint: 'give a value of the shape that the map was declared with',
  },
  MAP_FULL: {
    message: (c: OfMap & { readonly key: string | undefined; readonly maxEntries: number }) =>
      c.key === undefined
        ? `map ${c.map} is full: it has at most ${c.maxEntries} entries`
        : `map ${c.map} is full: key ${c.key} would be entry ${c.maxEntries + 1} of at most ${c.maxEntries}`,
    hint: 'delete entries, or load with a larger maxEntries',
  },
  MAP_INDEX_OUT_OF_RANGE: {
    message: (c: OfElement & { readonly maxEntries: number }) =>
      `map ${c.map}: index ${c.key} is out of range, it has ${c.maxEntries} elements`,
    hint: 'use an index below maxEntries',
  },
  MAP_ENTRY_EXISTS: {
    message: (c: OfElement) => `map ${c.map}: key ${c.key} is already there`,
    hint: "leave out flags: 'noexist' to replace it",
  },
  MAP_NO_ENTRY: {
    message: (c: OfElement) => `map ${c.map}: key ${c.key} is not there`,
    hint: "leave out flags: 'exist' to create it",
  },
  MAP_READ_ONLY: {
    message: (c: Refused) =>
      `map ${c.map}: ${c.operation}${ofKey(c.key)} was refused with ${c.errno}: it is read-only or frozen here`,
    hint: 'constants (.rodata) are frozen at load: give their values in the load options',
  },
  MAP_REFUSED: {
    message: (c: Refused) => `map ${c.map}: ${c.operation}${ofKey(c.key)} failed with ${c.errno}`,
  },
  MAP_ITERATION_CUT_SHORT: {
    message: (c: OfMap & { readonly seen: number }) =>
      `map ${c.map} changed while it was walked: the walk was cut short after ${c.seen} entries`,
    hint: 'walk again; kernels from 5.6 walk hash maps in batches, which no change can cut short',
  },
  MAP_CREATE: {
    message: (c: OfMap & { readonly type: string; readonly errno: string; readonly shape: string }) =>
      `cannot create map ${c.map} (${c.type}, ${c.shape}): ${c.errno}`,
    hint: (c: { readonly type: string; readonly errno: string }) =>
      c.errno === 'EINVAL'
        ? `this kernel does not know the type ${c.type}, or not with these sizes and flags`
        : c.errno === 'ENOMEM' || c.errno === 'E2BIG'
          ? 'make the map smaller'
          : undefined,
  },
  MAP_CREATE_DENIED: {
    message: (
      c: OfMap & { readonly type: string; readonly errno: string; readonly missing: readonly string[] },
    ) =>
      `cannot create map ${c.map} (${c.type}): ${c.errno}` +
      (c.missing.length === 0 ? '' : `, this process lacks ${c.missing.join(' and ')}`),
    hint: 'run as root, or grant CAP_BPF (CAP_NET_ADMIN too for device, socket and XDP maps; CAP_SYS_ADMIN before 5.8); before 5.11 raise RLIMIT_MEMLOCK',
  },
  MAP_MEMORY: {
    message: (c: OfMap & { readonly errno: string }) =>
      `map ${c.map} cannot be mapped into memory: ${c.errno}`,
    hint: 'arrays are mapped that were made with BPF_F_MMAPABLE (kernel 5.5), and arenas; a frozen one only with readOnly',
  },
  MAP_MEMORY_INDEX: {
    message: (c: OfMap & { readonly index: number; readonly count: number }) =>
      `map ${c.map}: index ${c.index} is out of range, its memory has ${c.count} values`,
  },
  MAP_MEMBER: {
    message: (c: OfMap & { readonly member: string; readonly value: string; readonly expected: string }) =>
      `map ${c.map}: member ${c.member} cannot be ${c.value}: ${c.expected}`,
    hint: 'give a value of the type that the member was declared with',
  },
  MAP_MEMORY_TYPE: {
    message: (c: OfMap) => `map ${c.map}: its values have no live view, their type is not known`,
    hint: 'open the map with btfCodecs, or use memory.get, memory.set and memory.bytes',
  },
  MAP_MEMORY_READ_ONLY: {
    message: (c: OfMap) => `map ${c.map} was mapped for reading alone`,
    hint: 'leave out readOnly to write to it',
  },
  MAP_PIN_NAME: {
    message: (c: OfMap & { readonly name: string; readonly directory: string }) =>
      `map ${c.map}: ${JSON.stringify(c.name)} names no file in ${c.directory}`,
    hint: 'give a name of 1 to 255 bytes without / and NUL, other than . and ..',
  },
  MAP_PIN_OTHER: {
    message: (c: OfMap & { readonly path: string; readonly id: number; readonly found: number }) =>
      `map ${c.map} is not at ${c.path}: its id is ${c.id}, that of the map there ${c.found}`,
    hint: 'the pin was replaced: open the map there, and unpin that',
  },
  MAP_INCOMPATIBLE: {
    message: (c: { readonly what: string; readonly differences: readonly string[] }) =>
      `${c.what} is not the map that was expected: ${c.differences.join(', ')}`,
    hint: 'remove the pin, or open it with the shape that it has',
  },
  SYMBOLS_HIDDEN: {
    message: (c: { readonly path: string }) =>
      `${c.path} shows no addresses: the kernel hides them from this user`,
    hint: 'run as root, or grant CAP_SYSLOG; kernel.kptr_restrict=2 hides them from everybody: sysctl kernel.kptr_restrict=1',
  },
  SYMBOLS_MALFORMED: {
    message: (c: {
      readonly path: string
      readonly line: number
      readonly expected: string
      readonly actual: string
    }) => `${c.path} line ${c.line}: expected ${c.expected}, got ${c.actual}`,
    hint: "only a file that is not the kernel's looks like this: mount procfs at /proc",
  },
  SYMBOLS_TOO_MANY: {
    message: (c: { readonly what: string; readonly limit: number }) =>
      `there are more than ${c.limit} ${c.what}`,
  },
  SYMBOLS_PROCESS: {
    message: (c: { readonly pid: string; readonly errno: string }) =>
      `the mappings of process ${c.pid} cannot be read: ${c.errno}`,
    hint: (c: { readonly errno: string }) =>
      c.errno === 'EACCES' || c.errno === 'EPERM'
        ? 'run as root or as its user, or grant CAP_SYS_PTRACE'
        : 'the process has ended, or /proc shows another PID namespace',
  },
  SYMBOLS_FILE: {
    message: (c: { readonly path: string; readonly reason: string }) =>
      `${c.path} gives no symbols: ${c.reason}`,
    hint: 'files that were deleted or replaced since they were mapped are only reached with CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN',
  },
  SYMBOLS_DISPOSED: {
    message: (c: { readonly pid: string }) => `the symbols of process ${c.pid} have been disposed`,
    hint: 'keep them until the last address is looked up',
  },
  RING_TYPE: {
    message: (c: OfMap & { readonly type: string; readonly expected: string }) =>
      `map ${c.map} is of type ${c.type}, not ${c.expected}`,
  },
  RING_MAP: {
    message: (c: OfMap & { readonly errno: string }) =>
      `ring ${c.map} cannot be mapped into memory: ${c.errno}`,
    hint: (c: { readonly errno: string }) =>
      c.errno === 'EFBIG' ? 'a ring that is read here has at most 1 GiB: make it smaller' : undefined,
  },
  RING_DISPOSED: {
    message: (c: OfMap) => `ring ${c.map} has been disposed`,
    hint: 'dispose the ring after its last use',
  },
  RING_BUSY: {
    message: (c: OfMap) => `ring ${c.map} is being read already`,
    hint: 'a ring has one reader: stop it first, and do not consume within its callback',
  },
  RING_RECORD_ENDED: {
    message: () => 'a record of a ring is used after its callback returned',
    hint: 'copy what is needed later: record.bytes(), or a decoded value',
  },
  RING_RECORD_RANGE: {
    message: (c: { readonly at: number; readonly length: number; readonly size: number }) =>
      `${c.length} bytes at ${c.at} are not within a record of ${c.size} bytes`,
  },
  RING_RECORD_SIZE: {
    message: (c: { readonly expected: number; readonly actual: number }) =>
      `a record of ${c.actual} bytes is shorter than its type of ${c.expected} bytes`,
    hint: 'give a function as decode where records are of several types',
  },
  RING_FIELD: {
    message: (c: { readonly type: string; readonly path: string; readonly actual: string }) =>
      `${c.type}: field ${c.path} is ${c.actual}, not a number in whole bytes`,
    hint: 'fields are integers, enums, pointers and floats: use a codec for the others',
  },
  RING_SAMPLE_SIZE: {
    message: (c: OfMap & { readonly size: number; readonly most: number }) =>
      `ring ${c.map}: a sample of ${c.size} bytes does not fit, it takes up to ${c.most}`,
  },
  RING_CORRUPT: {
    message: (c: OfMap & { readonly size: number }) =>
      `ring ${c.map}: a record claims ${c.size} bytes, which goes beyond what was written`,
    hint: 'another process reads the same ring: its place is shared by all readers',
  },
  MAP_INFO: {
    message: (c: { readonly fd: number; readonly errno: string }) =>
      `descriptor ${c.fd}: the kernel gives no map information: ${c.errno}`,
    hint: 'give a descriptor of a BPF map',
  },
  MAP_CPUS: {
    message: (c: { readonly path: string; readonly actual: string }) =>
      `${c.path}: expected ranges of processors such as 0-3, got ${c.actual}`,
    hint: 'per-CPU maps need sysfs: mount it at /sys',
  },
})

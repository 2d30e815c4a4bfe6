/** Bytes of keys and values that one batch command takes, and the most entries of it. */
export const batchBytes = 256 * 1024
export const batchEntries = 4096
/** Bytes that a map is read into as columns, to begin with; less where it cannot have so many entries. */
export const columnBytes: number = 2 ** 22
/** The same for element commands that are made many in one crossing. */
export const vectorBytes = 64 * 1024
export const vectorEntries = 256
/** A key or value in an error message is cut after this many characters. */
export const shownCharacters = 80
/** Processors that `/sys/devices/system/cpu/possible` may name; more is a damaged file. */
export const maxPossibleCpus = 65_536
/** Records that a reader takes in one turn of the event loop, unless told otherwise. */
export const recordsPerTurn = 4096
/** Bytes of a line of /proc/kallsyms or /proc/PID/maps: a name has at most 512, a path 4096, escaped up to four times. */
export const maxSymbolLine = 20_000
/** Symbols of the kernel and its modules; a kernel with all of Debian's modules loaded has some 2**20. */
export const maxKernelSymbols: number = 2 ** 23
/** How far a symbol without a size may reach. */
export const maxSymbolBytes: number = 2 ** 24
/** Bytes of /proc/PID/maps; a process has 65,530 mappings unless vm.max_map_count is raised. */
export const maxProcessMapsBytes: number = 2 ** 26
/** Bytes of an executable or library that is read for its symbols, unless told otherwise. */
export const maxBinaryBytes: number = 2 ** 29
/** Bytes of a vDSO that is read for its symbols; those of the kernel have two to four pages. */
export const maxVdsoBytes: number = 2 ** 20
/** Symbols in the tables of one file; a Chromium with all of its own has some 2**21. */
export const maxFileSymbols: number = 2 ** 23
/** Names of functions may add up to this many times the string tables, whose names may share their ends. */
export const nameOverlap = 4
/** Files whose symbols a cache keeps. */
export const maxCachedBinaries = 256
/** A struct with more members gets accessors that no code is made for. */
export const compiledMembers = 1024

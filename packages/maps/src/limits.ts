/** Bytes of keys and values that one batch command takes, and the most entries of it. */
export const batchBytes = 256 * 1024
export const batchEntries = 4096
/** The same for element commands that are made many in one crossing. */
export const vectorBytes = 64 * 1024
export const vectorEntries = 256
/** A key or value in an error message is cut after this many characters. */
export const shownCharacters = 80
/** Processors that `/sys/devices/system/cpu/possible` may name; more is a damaged file. */
export const maxPossibleCpus = 65_536
/** Records that a reader takes in one turn of the event loop, unless told otherwise. */
export const recordsPerTurn = 4096

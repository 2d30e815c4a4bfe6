/** Bytes of keys and values that one batch lookup asks for, and the most entries it asks for. */
export const batchBytes = 256 * 1024
export const batchEntries = 4096
/** A key or value in an error message is cut after this many characters. */
export const shownCharacters = 80
/** Processors that `/sys/devices/system/cpu/possible` may name; more is a damaged file. */
export const maxCpus = 65_536

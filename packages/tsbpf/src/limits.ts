/** Largest file that is read, in bytes: a kernel image with its debug information is larger than most inputs. */
export const maxFileSize = 1 << 30

/** Largest BTF that a `.gz` may unpack to, in bytes. */
export const maxUnpackedSize = 1 << 28

/** Rows of a map that a table shows; `--json` shows all that were read. */
export const maxTableRows = 40

/** Bytes without a type, and characters of other values, that one cell of such a table shows. */
export const maxCellBytes = 256
export const maxCellText = 1000

/** Lines of the verifier's log that follow its refusal. */
export const maxLogLines = 20

/** Lines of source on the way to a refused instruction that are shown. */
export const maxPathLines = 12

/** Entries of one map that are read at a time. */
export const maxMapEntries = 100_000

/** Longest `--duration`, in seconds: what a timer can hold. */
export const maxDuration = 2_147_483

/** Names that one cell or line of a report lists; `--json` has all. */
export const maxListedNames = 8

/** Characters of a graph in the DOT language that are laid out, and how long that may take. */
export const maxLayoutText = 1 << 20
export const maxLayoutSeconds = 30

import { errors } from '../errors.ts'
import { maxSymbolLine } from '../limits.ts'

/** A mapping of a process that may hold code. */
export interface ProcessMapping {
  readonly start: bigint
  /** Address behind the last byte. */
  readonly end: bigint
  /** Offset in the file of the first byte. */
  readonly fileOffset: bigint
  /** Device and inode: `fe:00:339380`; empty for memory that is no file. */
  readonly inode: string
  /** Path as the process sees it, or a name such as `[vdso]`; empty for memory without a name. */
  readonly path: string
  /** The file has no name any more. */
  readonly deleted: boolean
  /** As it stands in the file, for /proc/PID/map_files: `7f00-7fff`. */
  readonly range: string
}

const row =
  /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-][ps]) ([0-9a-f]{1,16}) ([0-9a-f]{2,8}:[0-9a-f]{2,8}) (\d{1,20})(?: +(.*))?$/
const gone = ' (deleted)'

/**
 * The mappings of /proc/PID/maps that code can run in, by rising address (Documentation/filesystems/proc.rst).
 * Throws SYMBOLS_MALFORMED.
 */
export function parseProcessMaps(bytes: Uint8Array, path: string): readonly ProcessMapping[] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const mappings: ProcessMapping[] = []
  let line = 0
  for (let from = 0; from < bytes.length; line++) {
    const found = bytes.indexOf(10, from)
    const to = found < 0 ? bytes.length : found
    const text = decoder.decode(bytes.subarray(from, Math.min(to, from + maxSymbolLine + 1)))
    const match = to - from > maxSymbolLine ? null : row.exec(text)
    const [, start = '', end = '', mode = '', offset = '', device = '', inode = '', name = ''] = match ?? []
    const first = BigInt(`0x${start || '0'}`)
    const behind = BigInt(`0x${end || '0'}`)
    if (match === null || first >= behind || first < (mappings.at(-1)?.end ?? 0n)) {
      const expected = match === null ? 'a mapping' : 'mappings by rising address'
      throw errors.SYMBOLS_MALFORMED({ path, line: line + 1, expected, actual: text.slice(0, 80) })
    }
    from = to + 1
    if (mode[2] !== 'x') continue
    const deleted = name.endsWith(gone) && inode !== '0'
    mappings.push({
      start: first,
      end: behind,
      fileOffset: BigInt(`0x${offset}`),
      inode: inode === '0' ? '' : `${device}:${inode}`,
      // The kernel writes a newline in a path as \012, and nothing else so.
      path: (deleted ? name.slice(0, -gone.length) : name).replaceAll('\\012', '\n'),
      deleted,
      range: `${start.replace(/^0+(?=.)/, '')}-${end.replace(/^0+(?=.)/, '')}`,
    })
  }
  return mappings
}

/** The mapping that holds the address. */
export function mappingAt(mappings: readonly ProcessMapping[], address: bigint): ProcessMapping | undefined {
  let from = 0
  let to = mappings.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((mappings[middle]?.start ?? 0n) <= address) from = middle + 1
    else to = middle
  }
  const mapping = mappings[from - 1]
  return mapping !== undefined && address < mapping.end ? mapping : undefined
}

const pageBytes = 4096

/**
 * Bytes of a ring buffer as the kernel wants them: a power of two of whole pages (libbpf's adjust_ringbuf_sz).
 * Pages are taken as 4096 bytes: on kernels with larger ones give a multiple of theirs.
 */
export function roundRingSize(bytes: number): number {
  if (bytes === 0 || (bytes % pageBytes === 0 && isPowerOfTwo(bytes / pageBytes))) return bytes
  let rounded = pageBytes
  while (rounded < bytes && rounded < 2 ** 31) rounded *= 2
  return rounded < bytes ? bytes : rounded
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value))
}

const encoder = new TextEncoder()

/** The name of an object as the kernel keeps it: cut so that a NUL follows within `size` bytes. */
export function objectName(name: string | undefined, size: number): Uint8Array {
  const bytes = encoder.encode(name ?? '')
  return bytes.length < size ? bytes : bytes.slice(0, size - 1)
}

/**
 * Bytes of an object's sections by name. This package may not import the ELF reader, so here is as much of one as
 * well-formed objects need.
 */
export function sectionsOf(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = bytes[5] === 1
  const table = Number(view.getBigUint64(40, little))
  const rows = Array.from({ length: view.getUint16(60, little) }, (_, i) => {
    const at = table + i * 64
    const offset = Number(view.getBigUint64(at + 24, little))
    const size = view.getUint32(at + 4, little) === 8 ? 0 : Number(view.getBigUint64(at + 32, little))
    return { name: view.getUint32(at, little), data: bytes.subarray(offset, offset + size) }
  })
  const names = rows[view.getUint16(62, little)]?.data ?? new Uint8Array()
  const text = (offset: number) => new TextDecoder().decode(names.subarray(offset, names.indexOf(0, offset)))
  return new Map(rows.map((row) => [text(row.name), row.data]))
}

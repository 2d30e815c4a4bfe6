import { linux } from '@tsbpf/uapi'

/** Bytes of a kernel object's name, without its NUL. */
const nameBytes = linux.BPF_OBJ_NAME_LEN - 1

/** Bytes that libbpf keeps free for the section's name, even where it is shorter. */
const suffixBytes = 7

const utf8 = new TextEncoder()

/** The first bytes of a name, with what the kernel does not allow in names replaced by `_`. */
function clean(bytes: Uint8Array): string {
  let name = ''
  for (const byte of bytes.subarray(0, nameBytes)) {
    const char = String.fromCharCode(byte)
    name += /[0-9A-Za-z_.]/.test(char) ? char : '_'
  }
  return name
}

/** The kernel's name of a map that the object declares: its first 15 bytes. */
export function kernelMapName(name: string): string {
  return clean(utf8.encode(name))
}

/** Name of an object by the name of its file: the last part of the path, up to the first dot (libbpf: `bpf_object__new`). */
export function objectName(file: string): string {
  const base = utf8.encode(file.slice(file.lastIndexOf('/') + 1)).subarray(0, nameBytes)
  const dot = base.indexOf(0x2e)
  return clean(dot < 0 ? base : base.subarray(0, dot))
}

/**
 * The kernel's name of a data section's map: the start of the object's name and the section's, in 15 bytes; of a
 * section with a name of its own (`.data.mine`) the section's alone (libbpf: `internal_map_name`).
 */
export function kernelDataName(section: string, object: string): string {
  const suffix = utf8.encode(section)
  if (section.includes('.', 1)) return clean(suffix)
  const room = nameBytes - Math.min(nameBytes, Math.max(suffixBytes, suffix.length))
  return clean(utf8.encode(object.slice(0, room) + section))
}

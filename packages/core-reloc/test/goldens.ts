import { bundledFile } from '@tsbpf/testkit/bundled-file'

// Bundled, so that the same tests run in Node and in a browser.
const files = import.meta.glob<string>('./golden/bpf/*.{o,btf}', {
  query: '?inline',
  import: 'default',
  eager: true,
})

/** A copy of a file of golden/bpf: an object, or BTF to relocate to. */
export function golden(name: string): Uint8Array {
  const file = files[`./golden/bpf/${name}`]
  if (file === undefined) throw new RangeError(name)
  return bundledFile(file)
}

const kernels = import.meta.glob<string>('../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz', {
  query: '?inline',
  import: 'default',
  eager: true,
})

/** The BTF of a whole kernel. */
export async function kernelBtf(): Promise<Uint8Array> {
  const packed = new Blob(Object.values(kernels).map((file) => bundledFile(file) as Uint8Array<ArrayBuffer>))
  const unpacked = packed.stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(unpacked).arrayBuffer())
}

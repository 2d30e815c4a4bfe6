/**
 * Unpacks kernel modules and a `vmlinux` of Debian's cloud kernel 6.1, for the tests of `@tsbpf/elf` (TSBPF_KERNEL_FILES).
 * Nothing is installed, and nothing lands in the repository. Prints the folder.
 *
 *     apt-get update && node tools/oracles/kernel-files.mjs
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** A driver, a file system, a network protocol and a cipher: enough for each kind of section that modules have. */
const modules = ['virtio_blk.ko', 'overlay.ko', 'nf_tables.ko', 'twofish-x86_64.ko']
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tsbpf-kernel-files')
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

const depends = run('apt-cache', ['show', '--no-all-versions', 'linux-image-cloud-amd64'])
const name = /^Depends: (linux-image-6\.1\.[\w.+-]*-cloud-amd64)\b/m.exec(depends)?.[1]
if (name === undefined) {
  console.error(
    'error: linux-image-cloud-amd64 names no kernel 6.1\nhint: run it on Debian 12, after apt-get update',
  )
  process.exit(1)
}
const target = join(cache, name)
if (!existsSync(target)) {
  const work = mkdtempSync(join(tmpdir(), 'tsbpf-kernel-'))
  // apt fetches as a user of its own.
  chmodSync(work, 0o777)
  try {
    run('apt-get', ['-qq', 'download', `${name}-unsigned`], work)
    const deb = readdirSync(work).find((file) => file.endsWith('.deb'))
    run('dpkg-deb', ['-x', deb, 'root'], work)
    const root = join(work, 'root')
    const out = join(work, 'out')
    mkdirSync(out)
    for (const file of readdirSync(root, { recursive: true })) {
      if (modules.includes(basename(file))) cpSync(join(root, file), join(out, basename(file)))
    }
    const image = readdirSync(join(root, 'boot')).find((file) => file.startsWith('vmlinuz'))
    writeFileSync(join(out, 'vmlinux'), unpacked(readFileSync(join(root, 'boot', image))))
    mkdirSync(cache, { recursive: true })
    cpSync(out, target, { recursive: true })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
console.log(target)

/** The ELF file in a boot image: LZ4 in the "legacy" format, behind the code that unpacks it. */
function unpacked(image) {
  const magic = Buffer.from([0x02, 0x21, 0x4c, 0x18])
  for (let at = image.indexOf(magic); at >= 0; at = image.indexOf(magic, at + 1)) {
    const elf = blocks(image, at + 4)
    if (elf.subarray(0, 4).toString('latin1') === '\x7fELF') return elf
  }
  throw new Error('the boot image holds no ELF file packed by LZ4')
}

/** Blocks one after the other, each with its size in front and 8 MiB at most when unpacked. */
function blocks(image, start) {
  const parts = []
  for (let at = start; at + 4 <= image.length;) {
    const size = image.readUInt32LE(at)
    at += 4
    if (size === 0 || size > image.length - at) break
    parts.push(block(image.subarray(at, at + size)))
    at += size
  }
  return Buffer.concat(parts)
}

/** One block: runs of bytes as they are, each followed by a piece of what was written before. */
function block(bytes) {
  const out = Buffer.alloc(8 << 20)
  let at = 0
  let end = 0
  const length = (nibble) => {
    let total = nibble
    if (nibble === 15)
      do total += bytes[at]
      while (bytes[at++] === 255)
    return total
  }
  while (at < bytes.length) {
    const token = bytes[at++]
    const literals = length(token >> 4)
    bytes.copy(out, end, at, at + literals)
    at += literals
    end += literals
    if (at >= bytes.length) break
    const distance = bytes.readUInt16LE(at)
    at += 2
    // Byte by byte: a piece may overlap what it writes.
    for (let left = length(token & 15) + 4; left > 0; left--, end++) out[end] = out[end - distance]
  }
  return out.subarray(0, end)
}

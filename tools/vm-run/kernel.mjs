/** Debian's kernels, fetched by apt into a folder of their own; nothing is installed. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What stops a run before the guest can start: a message and what to do. */
export class VmError extends Error {
  constructor(message, hint) {
    super(message)
    this.hint = hint
  }
}

const cache =
  process.env.TSBPF_VM_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tsbpf-kernels')

function run(command, args, options = {}) {
  try {
    return execFileSync(command, args, { maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'inherit'], ...options })
  } catch (cause) {
    if (cause.code === 'ENOENT')
      throw new VmError(`no command ${command}`, 'see CONTRIBUTING.md for the packages')
    throw cause
  }
}

/** Numbers in names count as numbers: 6.1.0-9 is older than 6.1.0-56. */
const byVersion = (a, b) => a.localeCompare(b, 'en', { numeric: true })

/** The newest kernel of a series that apt knows; the cloud flavour boots fastest. */
function newestPackage(series) {
  const names = run('apt-cache', ['pkgnames', `linux-image-${series}.`], { encoding: 'utf8' }).split('\n')
  const flavour = /^linux-image-[\d.]+(?:-\d+)?(?:\+deb\d+(?:u\d+)?)?-cloud-amd64-unsigned$/
  return names
    .filter((name) => flavour.test(name))
    .sort(byVersion)
    .at(-1)
}

/** Fetches a package and unpacks it into a new folder, which `build` turns into what is kept under `name`. */
function keep(name, build) {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'work-'))
  try {
    const download = () => {
      run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: work })
    }
    try {
      download()
    } catch {
      // The lists may be older than what the mirror still has.
      run('apt-get', ['-qq', 'update'])
      download()
    }
    const deb = readdirSync(work).find((file) => file.endsWith('.deb'))
    run('dpkg-deb', ['-x', deb, 'root'], { cwd: work })
    mkdirSync(join(work, 'out'))
    build(join(work, 'root'), join(work, 'out'))
    chmodSync(join(work, 'out'), 0o755)
    try {
      renameSync(join(work, 'out'), folder)
    } catch (error) {
      // Another run was quicker.
      if (!existsSync(folder)) throw error
    }
    return folder
  } catch (cause) {
    if (cause instanceof VmError) throw cause
    throw new VmError(
      `the package ${name} cannot be fetched and unpacked: ${cause.message}`,
      'run "apt-get update"; the network may be down',
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const unpackers = new Map([
  ['28b52ffd', 'zstd'],
  ['02214c18', 'lz4'],
  ['fd377a58', 'xz'],
])

/**
 * The ELF file in a boot image, where the image's header says that it is (Documentation/arch/x86/boot.rst,
 * payload_offset and payload_length); its last four bytes are its size when unpacked.
 */
function unpackImage(image) {
  const start = (image[0x1f1] + 1) * 512 + image.readUInt32LE(0x248)
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4)
  const magic = payload.toString('hex', 0, 4)
  const tool = unpackers.get(magic)
  if (tool === undefined) throw new Error(`the boot image is packed in an unknown way: ${magic}`)
  const elf = run(tool, ['-qdc'], { input: payload })
  if (elf.toString('latin1', 0, 4) !== '\x7fELF') throw new Error('the boot image holds no ELF file')
  return elf
}

/** Modules that reach the host's files, with those that they need, in the order of loading; what is built in has none. */
function bootModules(modules) {
  const files = readFileSync(join(modules, 'modules.dep'), 'utf8')
    .split('\n')
    .map((line) => line.replace(':', '').trim().split(' '))
  const wanted = []
  for (const name of ['virtio_pci', 'virtio_console', 'virtiofs', 'overlay']) {
    const row = files.find(([file = '']) => file.replaceAll('-', '_').includes(`/${name}.ko`)) ?? []
    for (const file of [...row].reverse()) if (!wanted.includes(file)) wanted.push(file)
  }
  return wanted.map((file) => {
    const bytes = readFileSync(join(modules, file))
    return file.endsWith('.xz') ? run('xz', ['-qdc'], { input: bytes }) : bytes
  })
}

function buildKernel(root, out) {
  const image = readdirSync(join(root, 'boot')).find((file) => file.startsWith('vmlinuz-'))
  const version = image.slice('vmlinuz-'.length)
  writeFileSync(join(out, 'vmlinux'), unpackImage(readFileSync(join(root, 'boot', image))))
  renameSync(join(root, 'boot', `config-${version}`), join(out, 'config'))
  mkdirSync(join(out, 'lib'))
  const installed = ['lib/modules', 'usr/lib/modules']
    .map((path) => join(root, path))
    .find((path) => existsSync(path))
  renameSync(installed, join(out, 'lib/modules'))
  run('depmod', ['-b', out, version])
  mkdirSync(join(out, 'boot-modules'))
  for (const [i, bytes] of bootModules(join(out, 'lib/modules', version)).entries()) {
    writeFileSync(join(out, 'boot-modules', `${i + 10}.ko`), bytes)
  }
}

/**
 * A kernel of the series `6.1` or `6.12`: the folder with `vmlinux`, `config`, `lib/modules` and `boot-modules`, and
 * a static busybox. Fetches what is not there. Throws `VmError`.
 */
export function kernelOf(series) {
  let name = newestPackage(series)
  if (name === undefined) {
    run('apt-get', ['-qq', 'update'])
    name = newestPackage(series)
  }
  if (name === undefined) {
    throw new VmError(
      `apt knows no cloud kernel ${series} for amd64`,
      'run it on Debian 12, after apt-get update',
    )
  }
  const busybox = keep('busybox-static', (root, out) => {
    renameSync(join(root, 'bin/busybox'), join(out, 'busybox'))
  })
  return { name, folder: keep(name, buildKernel), busybox: join(busybox, 'busybox') }
}

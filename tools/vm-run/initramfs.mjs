/** The first file system of the guest: busybox, the modules that reach the host's files, and two scripts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const directory = 0o040755
const program = 0o100755

/** An archive in the format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). */
function archive(entries) {
  const parts = []
  const padded = (bytes) => {
    parts.push(bytes, Buffer.alloc(-bytes.length & 3))
  }
  let inode = 1
  for (const [name, mode, data] of [...entries, ['TRAILER!!!', 0, Buffer.alloc(0)]]) {
    // Inode, mode, owner, group, links, time, size, four device numbers, length of the name, no sum.
    const fields = [inode++, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0]
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
    padded(Buffer.from(head, 'latin1'))
    padded(data)
  }
  return Buffer.concat(parts)
}

/** For the shell: text that means itself. */
export const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`

/**
 * The archive for one run. `settings` are paths of the host by the names that `init.sh` has for them; `command` is the
 * script that the guest runs.
 */
export function initramfs({ folder, busybox }, settings, command) {
  const script = (name) => readFileSync(join(import.meta.dirname, 'guest', name))
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}\n`)
  const modules = join(folder, 'boot-modules')
  return archive([
    ...['bin', 'proc', 'dev', 'host', 'layer', 'new', 'modules'].map((name) => [
      name,
      directory,
      Buffer.alloc(0),
    ]),
    ['bin/busybox', program, readFileSync(busybox)],
    ['init', program, script('init.sh')],
    ['main.sh', program, script('main.sh')],
    ['settings', program, Buffer.from(assignments.join(''))],
    ['command.sh', program, Buffer.from(command)],
    ...readdirSync(modules).map((name) => [`modules/${name}`, program, readFileSync(join(modules, name))]),
  ])
}

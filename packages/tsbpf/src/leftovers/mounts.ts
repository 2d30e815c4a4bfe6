import { readdirSync, readFileSync } from 'node:fs'

/** Where file systems of a type are mounted, one place for each. */
export function mountsOf(type: 'bpf' | 'cgroup2'): readonly string[] {
  const places = new Map<string, string>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mount = '', file = ''] = line.split(' - ')
    if (!file.startsWith(`${type} `)) continue
    const [, , device = '', root = '', path = ''] = mount.split(' ')
    const plain = path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(parseInt(digits, 8)),
    )
    if (!places.has(`${device} ${root}`)) places.set(`${device} ${root}`, plain)
  }
  return [...places.values()]
}

/** The folders or plain files below a path, itself included as a folder; what cannot be read or is gone is left out. */
export function* below(path: string, what: 'folders' | 'files'): Generator<string, void, void> {
  const waiting = [path]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (what === 'folders') yield folder
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const inner = `${folder.replace(/\/$/, '')}/${entry.name}`
        if (entry.isDirectory()) waiting.push(inner)
        else if (what === 'files' && entry.isFile()) yield inner
      }
    } catch (error) {
      if (!['EACCES', 'ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

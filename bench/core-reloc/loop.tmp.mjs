import { readFileSync } from 'node:fs'
import { relocate } from '@tsbpf/core-reloc'
import { openKernelBtf } from '@tsbpf/loader'
import { parseObject } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'
const sys = nativeSys()
const [file, n] = process.argv.slice(2)
const cpu = () => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6
const bytes = readFileSync(file)
const { btf } = openKernelBtf(sys)
for (let i = 0; i < n; i++) {
  const a = cpu(); const spec = parseObject(bytes); const b = cpu(); relocate(spec, { targets: [{ name: 'vmlinux', btf }] }); const c = cpu()
  if (i < 8 || i % 10 === 0) console.log(i, (b - a).toFixed(1), (c - b).toFixed(1))
}

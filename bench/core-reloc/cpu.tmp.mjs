import { readFileSync } from 'node:fs'
import { relocate } from '@tsbpf/core-reloc'
import { openKernelBtf } from '@tsbpf/loader'
import { parseObject } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'
const sys = nativeSys()
const [file] = process.argv.slice(2)
const cpu = () => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6
const t = [cpu()]; const w = [performance.now()]
const mark = () => { t.push(cpu()); w.push(performance.now()) }
const bytes = readFileSync(file); mark()
const spec = parseObject(bytes); mark()
const { btf } = openKernelBtf(sys); mark()
relocate(spec, { targets: [{ name: 'vmlinux', btf }] }); mark()
const spec2 = parseObject(bytes); mark()
relocate(spec2, { targets: [{ name: 'vmlinux', btf }] }); mark()
relocate(parseObject(bytes), { targets: [{ name: 'vmlinux', btf }] }); mark()
relocate(parseObject(bytes), { targets: [{ name: 'vmlinux', btf }] }); mark()
const names = ['read','parse','btf','reloc','parse2','reloc2','both3','both4']
console.log(names.map((n, i) => `${n} ${(t[i+1]-t[i]).toFixed(1)}/${(w[i+1]-w[i]).toFixed(1)}`).join('  '), 'cold', (t[4]-t[0]).toFixed(1))

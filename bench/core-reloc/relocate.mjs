/**
 * What opening an object and relocating it to the running kernel costs, in milliseconds: `node bench/core-reloc/relocate.mjs`,
 * after the build, as root on Linux (x86-64 for the peer). The objects are made for this kernel: 31 relocations on 6
 * structs, and 1,000 on 100.
 *
 * `cold`: the first in its process, opening the kernel's BTF included. `open`: likewise, but with the kernel's BTF opened
 * before. `again`: the second time in the process, the BTF still open. Each round starts new processes.
 *
 * With TSBPF_ORACLES set, libbpf 1.5 does the same in turn (`libbpf-relocate` of tools/oracles), and the ratios of the medians
 * are printed with their targets.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseBtf } from '@tsbpf/btf'
import { relocate } from '@tsbpf/core-reloc'
import { openKernelBtf } from '@tsbpf/loader'
import { parseObject } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'

const rounds = Number(process.env.ROUNDS ?? 15)
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/** One run of open and relocate; `kernel` opens the BTF. */
function once(file, count, kernel) {
  const started = performance.now()
  const spec = parseObject(readFileSync(file))
  const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf: kernel() }] })
  const time = performance.now() - started
  const resolved = results.filter(({ status }) => status === 'resolved').length
  if (resolved !== count) throw new Error(`${resolved} of ${count} relocations are resolved`)
  return time
}

function child(file, count, mode) {
  const sys = nativeSys()
  if (mode === 'cold') return { cold: once(file, count, () => openKernelBtf(sys).btf) }
  const { btf } = openKernelBtf(sys)
  return { open: once(file, count, () => btf), again: once(file, count, () => btf) }
}

/** Source with `count` relocations on as many of the kernel's structs as `structs`, in ten programs at most. */
function source(btf, structs, count) {
  const chosen = []
  const members = Math.ceil(count / structs)
  for (let id = 1; id < btf.endId && chosen.length < structs; id++) {
    if (btf.kind(id) !== 'struct') continue
    const { name, members: all } = btf.type(id)
    if (!/^[a-z]\w+$/.test(name) || name.includes('___') || btf.candidates(name).length !== 1) continue
    const plain = all.filter((member) => {
      const { kind } = btf.resolve(member.type)
      return /^\w+$/.test(member.name) && member.bitfieldSizeBits === 0 && (kind === 'int' || kind === 'ptr')
    })
    if (plain.length < members) continue
    chosen.push({
      name,
      members: plain.slice(0, members),
      kinds: plain.map(({ type }) => btf.resolve(type).kind),
    })
  }
  const bodies = Array.from({ length: Math.min(10, structs) }, () => '')
  let left = count
  let text = '#define SEC(name) __attribute__((section(name), used))\n'
  chosen.forEach(({ name, members: list, kinds }, i) => {
    const fields = list.map(
      (member, j) => `${kinds[j] === 'ptr' ? 'void *' : 'unsigned int '}${member.name};`,
    )
    text += `struct ${name} { ${fields.join(' ')} } __attribute__((preserve_access_index));\n`
    for (const member of list) {
      if (left-- <= 0) break
      bodies[i % bodies.length] +=
        `  sum += __builtin_preserve_field_info(((struct ${name} *)0)->${member.name}, 0);\n`
    }
  })
  bodies.forEach((body, i) => {
    text += `SEC("raw_tp/sys_enter") int relocated_${i}(void *ctx)\n{\n  volatile int sum = 0;\n${body}  return sum;\n}\n`
  })
  return `${text}char LICENSE[] SEC("license") = "GPL";\n`
}

if (process.env.CHILD !== undefined) {
  const [file, count] = process.argv.slice(2)
  console.log(JSON.stringify(child(file, Number(count), process.env.CHILD)))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-bench-'))
  try {
    const oracles = process.env.TSBPF_ORACLES
    const peer = oracles ? join(oracles, 'bin/libbpf-relocate') : undefined
    const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'))
    for (const [structs, count, targets] of [
      [6, 31, { cold: 1, open: 0.1, again: 0.1 }],
      [100, 1000, { cold: 0.5 }],
    ]) {
      const file = join(folder, `${count}.o`)
      writeFileSync(join(folder, `${count}.c`), source(btf, structs, count))
      execFileSync('clang-19', ['-target', 'bpf', '-O2', '-g', '-c', join(folder, `${count}.c`), '-o', file])
      report(`${count} relocations on ${structs} structs`, measure(file, count, peer), targets)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function measure(file, count, peer) {
  const times = new Map()
  const keep = (who, row) => {
    for (const [metric, value] of Object.entries(row)) {
      times.set(`${who} ${metric}`, [...(times.get(`${who} ${metric}`) ?? []), value])
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const mode of ['cold', 'open']) {
      const env = { ...process.env, CHILD: mode }
      const argv = [import.meta.filename, file, String(count)]
      keep('tsbpf', JSON.parse(execFileSync(process.execPath, argv, { env, encoding: 'utf8' })))
    }
    if (peer) keep('libbpf', JSON.parse(execFileSync(peer, [file], { encoding: 'utf8' })))
  }
  return times
}

function report(title, times, targets) {
  console.log(title)
  for (const [key, values] of times) {
    console.log(`  ${key}: ${median(values).toFixed(2)} ms (least ${Math.min(...values).toFixed(2)})`)
  }
  const peer = times.get('libbpf cold')
  if (peer === undefined) return
  for (const [metric, target] of Object.entries(targets)) {
    const ratio = median(times.get(`tsbpf ${metric}`)) / median(peer)
    console.log(`  ${metric} / libbpf cold: ${ratio.toFixed(2)} (target ${target})`)
  }
}

import { readFileSync } from 'node:fs'
import { parseObject } from '@tsbpf/object'
for (const f of process.argv.slice(2)) {
  try {
    const s = parseObject(readFileSync(f), { name: f })
    console.log(f.split('/').pop(), 'ok', s.programs.length, s.maps.length)
  } catch (e) {
    console.log(f.split('/').pop(), e.code, e.message)
  }
}

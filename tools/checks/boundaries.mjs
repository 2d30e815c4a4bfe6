/**
 * Proves that linting refuses what the table of packages forbids: plants violations, one at a time, in a throw-away
 * file of a package, and expects an error for each. A rule that silently does nothing would otherwise look like success.
 */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const planted = [
  { in: 'btf', code: "export { parseElf } from '@tsbpf/elf'", rule: '@nx/enforce-module-boundaries' },
  { in: 'base', code: "export { parseBtf } from '@tsbpf/btf'", rule: '@nx/enforce-module-boundaries' },
  { in: 'object', code: "export * from '../../elf/src/index.ts'", rule: '@nx/enforce-module-boundaries' },
  { in: 'elf', code: "export { readFileSync } from 'node:fs'", rule: 'no-restricted-imports' },
  { in: 'isa', code: 'export const pid = process.pid', rule: 'no-restricted-globals' },
]

let failed = 0
for (const { in: name, code, rule } of planted) {
  const folder = join(root, 'packages', name)
  const file = join(folder, 'src', 'planted-violation.ts')
  writeFileSync(file, `${code}\n`)
  try {
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/eslint'), ['--format', 'json', file], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NX_DAEMON: 'false' },
    })
    const rules = JSON.parse(stdout).flatMap((result) => result.messages.map((message) => message.ruleId))
    const ok = rules.includes(rule)
    if (!ok) failed++
    console.log(
      `${ok ? 'refused' : 'NOT REFUSED'}: ${name}: ${code}${ok ? '' : ` (reported: ${rules.join(', ')})`}`,
    )
  } finally {
    rmSync(file, { force: true })
  }
}
process.exit(failed === 0 ? 0 : 1)

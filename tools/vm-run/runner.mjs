/**
 * Runs bundled test files in this process, one after the other: `node runner.mjs ROOT FILE…`. The last line it prints is
 * JSON: how many tests passed, failed and were skipped, and the reasons for the last.
 */
import { release } from 'node:os'
import { relative } from 'node:path'
import { startTests } from '@vitest/runner'

const [root, ...files] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0, reasons: {} }

function titlesOf(task) {
  return task.suite?.name ? [...titlesOf(task.suite), task.name] : [task.name]
}

function testsOf(task) {
  return task.type === 'test' ? [task] : task.tasks.flatMap(testsOf)
}

function tell(test) {
  const title = titlesOf(test).join(' > ')
  const state = test.mode === 'run' ? test.result?.state : 'skip'
  if (state === 'pass') sum.passed++
  else if (state === 'skip') {
    sum.skipped++
    const reason = /\[not run: (.*?)\]/.exec(title)?.[1] ?? title
    sum.reasons[reason] = (sum.reasons[reason] ?? 0) + 1
  } else {
    sum.failed++
    console.log(`  FAILED ${title}`)
    for (const { stack, message } of test.result?.errors ?? []) console.log(`    ${stack ?? message}`)
  }
}

// The first stream of a process costs a descriptor, which must not look like one that a test has leaked.
console.log(`Node ${process.version} on ${release()}`)

let start = performance.now()
const runner = {
  config: {
    root,
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: process.env.TSBPF_VM_TESTS ? new RegExp(process.env.TSBPF_VM_TESTS) : undefined,
    allowOnly: true,
    sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
    chaiConfig: undefined,
    maxConcurrency: 1,
    // Only ends what hangs: the emulator is slow, and CI runs other things beside it.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
  importFile: (path) => import(path),
  onCollectStart: () => {
    start = performance.now()
  },
}

for (const file of files) {
  start = performance.now()
  const [result] = await startTests([file], runner)
  const tests = testsOf(result)
  const time = Math.round(performance.now() - start)
  console.log(`${relative(root, file).replace(/\.mjs$/, '.ts')}: ${tests.length} tests, ${time} ms`)
  for (const error of result.result?.errors ?? []) {
    sum.failed++
    console.log(`  FAILED to load: ${error.stack ?? error.message}`)
  }
  tests.forEach(tell)
}
console.log(JSON.stringify(sum))
// Nothing that a test forgot keeps the guest.
process.exit(sum.failed === 0 ? 0 : 1)

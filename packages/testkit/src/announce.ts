import { chromium } from './chromium.ts'
import { corpusDir, corpusMissing, debianObjectsDir, debianObjectsMissing } from './corpus.ts'
import { isRoot } from './gate.ts'

/** Groups of tests that do not run here, each with the reason. */
export function notRun(): readonly string[] {
  const lines: string[] = []
  if (process.platform !== 'linux') lines.push('kernel tests: this is not Linux')
  else if (!isRoot) lines.push('kernel tests: not root')
  if (corpusDir() === undefined) lines.push(`corpus tests: ${corpusMissing}`)
  if (debianObjectsDir() === undefined) lines.push(`tests of Debian's objects: ${debianObjectsMissing}`)
  if (chromium() === undefined)
    lines.push('browser tests: no Chromium at /usr/bin/chromium, and TSBPF_CHROMIUM is not set')
  return lines
}

/** Vitest's global set-up: says at the start which groups are not run, and why. */
export function setup(): void {
  for (const line of notRun()) console.log(`not run - ${line}`)
  if (process.env['CI'] === 'true' && process.platform === 'linux' && !isRoot) {
    throw new Error('CI=true, but this is not root: kernel tests must run in CI')
  }
  if (process.env['CI'] === 'true' && process.platform === 'linux' && debianObjectsDir() === undefined) {
    throw new Error(`CI=true, but ${debianObjectsMissing}: see .ci/run`)
  }
  if (process.env['CI'] === 'true' && chromium() === undefined) {
    throw new Error('CI=true, but there is no Chromium: browser tests must run in CI')
  }
}

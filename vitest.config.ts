import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromium } from './packages/testkit/src/chromium.ts'

/** Lint, typecheck and tests read sources, so none of them needs a build. */
const conditions = ['@tsbpf/source', 'module', 'node', 'development|production']
/** Only ends what hangs: a busy machine is no failure, and limits on work are in processor time. */
const testTimeout = 60_000

const shared = {
  // Tests that run in a browser too import a committed object with `?inline`, as a data URL.
  assetsInclude: ['**/*.{o,so,btf,btf.gz}'],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  oxc: { target: 'es2022' as const },
}

/** Packages whose unit and property tests run in a browser too: those tests import nothing of Node. */
const inBrowser = 'packages/{base,elf,btf,isa,object,core-reloc}'
const executablePath = chromium()
const browser = {
  ...shared,
  resolve: { conditions: ['@tsbpf/source', 'module', 'browser', 'development|production'] },
  // Found before the first test asks for it, or the page would be loaded anew in the middle of a run.
  optimizeDeps: { include: ['fast-check'] },
  test: {
    name: 'browser',
    testTimeout,
    include: [`${inBrowser}/src/**/*.test.ts`, `${inBrowser}/test/property/**/*.test.ts`],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      // Chromium's sandbox needs a user other than root; the pages are this repository's own.
      provider: playwright({
        launchOptions: { executablePath: executablePath ?? '', args: ['--no-sandbox'] },
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
}

export default defineConfig({
  test: {
    globalSetup: ['packages/testkit/src/announce.ts'],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          // Most of a file's time was loading what it tests; no test changes a module for others.
          isolate: false,
          testTimeout,
          include: [
            'packages/*/src/**/*.test.ts',
            'packages/*/test/{property,golden}/**/*.test.ts',
            'examples/*/*.test.ts',
            'tools/**/*.test.{ts,mjs}',
          ],
        },
      },
      {
        ...shared,
        test: {
          name: 'kernel',
          include: ['packages/*/test/kernel/**/*.test.ts'],
          globalSetup: ['packages/testkit/src/one-run.ts'],
          // Kernel objects are counted before and after each test: one file at a time, in a process of its own.
          pool: 'forks',
          fileParallelism: false,
          testTimeout,
        },
      },
      ...(executablePath === undefined ? [] : [browser]),
    ],
  },
})

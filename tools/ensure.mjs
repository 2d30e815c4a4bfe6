/**
 * Makes a fresh clone ready: installs what the lock file names, then builds. Runs before `npm start` and `npm test`;
 * a second run finds everything in place and takes a fraction of a second.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const stamp = join(root, 'node_modules', '.tsbpf-lock')

function run(args, env) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, env, stdio: ['ignore', 2, 2] })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  const npm = process.env.npm_execpath
  if (!npm) {
    console.error('error: dependencies are not installed\nhint: run "npm ci", or start this through npm')
    process.exit(1)
  }
  try {
    accessSync(root, constants.W_OK)
  } catch ({ code }) {
    console.error(`error: dependencies are not installed, and ${root} cannot be written: ${code}`)
    console.error('hint: run this as the owner of that folder, or in a clone of your own')
    process.exit(1)
  }
  // What npm passes down (workspace filters, omit=dev) must not shape this install.
  const keep =
    /^npm_config_(cache|registry|offline|prefer_offline|cafile|userconfig|globalconfig|https?_proxy|noproxy)$/i
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || keep.test(name)),
  )
  delete env.NODE_ENV
  console.error('installing dependencies…')
  run([npm, 'ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], env)
  writeFileSync(stamp, lock)
}

run([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', 'tsconfig.build.json'], process.env)
run([join(root, 'tools', 'bundle.mjs')], process.env)

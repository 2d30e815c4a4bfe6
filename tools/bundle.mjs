/**
 * Bundles the command line into a few files, `packages/tsbpf/dist/tsbpf.js` and its chunks: finding and reading some 400
 * modules takes node several times as long as a command itself. The last step of `npm run build`; nothing is done where nothing is newer.
 */
import { build } from 'esbuild'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'packages/tsbpf/dist')
const chunk = 'chunk-'

/** The addon is the door's own: it lies beside that package, not beside the bundle. */
const door = {
  name: 'door',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]sys[\\/]src[\\/]native[\\/]addon\.ts$/ }, ({ path }) => {
      const place = "import.meta.resolve('@tsbpf/sys/native')"
      return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', place), loader: 'ts' }
    })
  },
}

/** Licences of the libraries of others that the bundle contains, which ask to be passed on with them. */
function licences(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  )
  const texts = [...folders].toSorted().map((folder) => {
    const name = readdirSync(join(root, folder)).find((file) => /^licen[cs]e/i.test(file))
    if (name === undefined) throw new Error(`${folder} has no licence`)
    return `${folder.replace(/^.*node_modules\//, '')}\n\n${readFileSync(join(root, folder, name), 'utf8')}`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/dist/.tsbuildinfo`)
const made = [
  import.meta.filename,
  join(root, 'package-lock.json'),
  ...packages.map((path) => join(root, path)),
]
const time = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)
if (time(join(dist, 'tsbpf.js')) > Math.max(...made.map(time))) process.exit()

for (const name of readdirSync(dist)) if (name.startsWith(chunk)) rmSync(join(dist, name))
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { tsbpf: 'packages/tsbpf/src/bin.ts' },
  outdir: dist,
  chunkNames: `${chunk}[name]-[hash]`,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  conditions: ['@tsbpf/source'],
  // Read by a worker, as a file.
  external: ['@viz-js/viz'],
  // Names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  // What is CommonJS in dependencies asks for `require`.
  banner: {
    js: "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);",
  },
  plugins: [door],
  metafile: true,
  logLevel: 'warning',
})
writeFileSync(join(dist, 'tsbpf.licences.txt'), licences(Object.keys(metafile.inputs)))

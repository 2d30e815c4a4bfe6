/** Kernel tests as plain modules, which a guest reads in a second: nothing is left to resolve or translate there. */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** A module still means its own source where it asks for its place. */
function inPlace(root) {
  return {
    name: 'in-place',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!path.startsWith(join(root, 'packages'))) return undefined
        const text = readFileSync(path, 'utf8')
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
          .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        return { contents: text, loader: 'ts' }
      })
    },
  }
}

/**
 * Bundles test files, and scripts that they start in processes of their own, into `folder`, each at its path in the
 * repository with the ending `.mjs`. The result is the files in the order given, with the runner in front.
 */
export async function bundle(root, folder, files) {
  const here = import.meta.dirname
  await build({
    entryPoints: [join(here, 'runner.mjs'), ...files],
    outbase: root,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@tsbpf/source'],
    alias: { vitest: join(here, 'vitest.mjs') },
    // What is CommonJS in dependencies asks for `require`.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'\nconst require = makeRequire('/')",
    },
    plugins: [inPlace(root)],
    logLevel: 'warning',
  })
  const bundled = (file) => join(folder, relative(root, file).replace(/\.[a-z]+$/, '.mjs'))
  return [join(here, 'runner.mjs'), ...files].map(bundled)
}

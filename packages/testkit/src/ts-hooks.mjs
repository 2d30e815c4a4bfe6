import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

const options = {
  loader: 'ts',
  target: 'es2022',
  format: 'esm',
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
}

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), options)
  return { format: 'module', source: code, shortCircuit: true }
}

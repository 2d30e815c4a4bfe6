import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const factsFolder = `${root}packages/uapi/facts/`

export function readFacts(name) {
  return JSON.parse(readFileSync(`${factsFolder}${name}.json`, 'utf8'))
}

/** JSON with one row per line: an array of records is a list of lines, all else is indented. */
export function formatFacts(value, indent = '') {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => inner + formatRow(item)).join(',\n')}\n${indent}]`
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    if (entries.length === 0) return '{}'
    return `{\n${entries.map(([key, item]) => `${inner}${JSON.stringify(key)}: ${formatFacts(item, inner)}`).join(',\n')}\n${indent}}`
  }
  return JSON.stringify(value)
}

function formatRow(value) {
  if (Array.isArray(value)) return `[${value.map(formatRow).join(', ')}]`
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return `{ ${entries.map(([key, item]) => `${JSON.stringify(key)}: ${formatRow(item)}`).join(', ')} }`
  }
  return JSON.stringify(value)
}

/**
 * Puts texts in place, or with `check` only compares them.
 * Returns the paths, from the repository's root, of what differed.
 */
export function putFiles(files, { check }) {
  const different = []
  for (const [path, text] of files) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    different.push(relative(root, path))
    if (check) continue
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return different
}

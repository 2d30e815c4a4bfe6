import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { floors, testFloors } from './floors.js'

const root = join(import.meta.dirname, '..')
const packages = readdirSync(join(root, 'packages'))

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly nx: { readonly tags: readonly string[] }
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

const short = (name: string) => name.replace('@tsbpf/', '')

describe('the table of packages', () => {
  it('names every package', () => {
    expect(
      Object.keys(floors)
        .filter((name) => name !== 'examples')
        .sort(),
    ).toEqual(packages.sort())
  })

  it('stands in the docs as linting enforces it', () => {
    const rows = [
      ...readFileSync(join(root, 'docs/architecture.md'), 'utf8').matchAll(
        /^\| \w+ +\| `([\w-]+)` +\| ([\w -]*)\|/gm,
      ),
    ].map((match) => [match[1], (match[2] ?? '').split(' ').filter((word) => word !== '')])
    const table = Object.entries(floors).filter(([name]) => name !== 'examples')
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(table))
  })

  it('goes only downwards', () => {
    const order = Object.keys(floors)
    for (const [name, allowed] of Object.entries(floors)) {
      for (const other of allowed)
        expect(order.indexOf(other), `${name} → ${other}`).toBeLessThan(order.indexOf(name))
    }
  })

  it('lets tests use what is below their package', () => {
    const order = Object.keys(floors)
    for (const [name, more] of Object.entries(testFloors)) {
      for (const other of more) expect(order.indexOf(other), other).toBeLessThan(order.indexOf(name))
    }
  })

  it.each(packages)('%s: dependencies are allowed, tagged, and the same as the build references', (name) => {
    const manifest = json(`packages/${name}/package.json`) as Manifest
    expect(manifest.nx.tags).toContain(`pkg:${name}`)
    const own = Object.keys(manifest.dependencies ?? {}).filter((dependency) =>
      dependency.startsWith('@tsbpf/'),
    )
    const allowed: readonly string[] = floors[name as keyof typeof floors]
    expect(own.map(short).filter((dependency) => !allowed.includes(dependency))).toEqual([])
    const build = `packages/${name}/tsconfig.build.json`
    if (!existsSync(join(root, build))) return
    const { references } = json(build) as { references: readonly { path: string }[] }
    const referenced = references.map(({ path }) => path.replace(/^\.\.\/|\/tsconfig\.build\.json$/g, ''))
    expect(referenced.sort()).toEqual(own.map(short).sort())
  })
})

/**
 * The house: what each package may import, lowest floor first. A package may also use every
 * npm package of its own package.json. Linting enforces this table and docs/architecture.md shows it.
 */
export const floors = {
  base: [],
  uapi: ['base'],
  elf: ['base'],
  btf: ['base'],
  isa: ['base', 'uapi'],
  object: ['base', 'uapi', 'elf', 'btf', 'isa'],
  sys: ['base', 'uapi'],
  'core-reloc': ['base', 'btf', 'isa', 'object'],
  asm: ['base', 'uapi', 'elf', 'btf', 'isa', 'object'],
  maps: ['base', 'uapi', 'elf', 'btf', 'sys'],
  link: ['base', 'uapi', 'elf', 'btf', 'sys', 'maps'],
  loader: ['base', 'uapi', 'elf', 'btf', 'isa', 'object', 'sys', 'core-reloc', 'maps', 'link'],
  tsbpf: [
    'base',
    'uapi',
    'elf',
    'btf',
    'isa',
    'object',
    'sys',
    'core-reloc',
    'asm',
    'maps',
    'link',
    'loader',
  ],
  testkit: [],
  examples: ['tsbpf'],
}

/** What the tests of a package may import besides: floors below it that the package itself can do without. */
export const testFloors = {
  loader: ['asm'],
}

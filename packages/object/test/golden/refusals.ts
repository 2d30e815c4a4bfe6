/** Why libbpf 1.5 refuses an object, and what we make of it instead. */
interface Refusal {
  /** What libbpf says. */
  readonly libbpf: RegExp
  /** `opened`, or the codes with which we refuse it, too. */
  readonly ours: 'opened' | readonly string[]
  readonly why: string
  /** No object of the corpus is refused for it, only objects of our own. */
  readonly own?: true
}

/**
 * Every reason for which libbpf refuses an object that we know of; the tests of this folder find the row of each object
 * that is refused, and fail where there is none or where we do something else than it says.
 */
export const refusals: readonly Refusal[] = [
  {
    libbpf: /^elf: legacy map definitions in 'maps' section are not supported/,
    ours: 'opened',
    why: 'libbpf 1.0 dropped struct bpf_map_def; what it means is known',
  },
  {
    libbpf: /^elf: legacy map definitions in 'maps' section are not supported/,
    ours: ['OBJECT_LEGACY_MAPS'],
    why: 'its maps have fields of another loader (iproute2), whose meaning would be lost',
  },
  {
    libbpf: /^elf: legacy map definitions in 'maps' section are not supported/,
    ours: ['OBJECT_EXTERN'],
    why: 'it is one of several files that are to be linked, and refers to a function of another',
  },
  {
    libbpf: /^sec '.*': program '.*' is static and not supported/,
    ours: 'opened',
    why: 'a static function in a section of programs is a subprogram',
    own: true,
  },
  {
    libbpf: /^sec '.*': program '.*' is static and not supported/,
    ours: ['OBJECT_EXTERN', 'OBJECT_NO_BTF'],
    why: 'besides, it has an extern that its BTF does not describe',
  },
  {
    libbpf: /bad map relo against '.*' in section '\.jumptables'/,
    ours: 'opened',
    why: 'jump tables are newer than libbpf 1.5: not judged by it',
    own: true,
  },
  {
    libbpf: /^failed to find BTF for extern '.*' \[\d+\] section: -2/,
    ours: ['OBJECT_EXTERN'],
    why: 'the extern is in no section that says whether it is a kfunc: another file should define it',
  },
]

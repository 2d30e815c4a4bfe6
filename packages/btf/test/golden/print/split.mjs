/** A BTF split from a kernel's, with types of its own and some that refer to the base: its bytes. */
export function splitOf({ encodeBtf }, base) {
  const id = (name, kind) => base.idsByName(name, kind)[0]
  const first = base.endId
  return encodeBtf(
    [
      { kind: 'ptr', type: id('task_struct', 'struct') },
      {
        kind: 'struct',
        name: 'module_state',
        size: 40,
        members: [
          { name: 'task', type: first, offsetBits: 0 },
          { name: 'list', type: id('list_head', 'struct'), offsetBits: 64 },
          { name: 'mode', type: first + 2, offsetBits: 192 },
          { name: 'count', type: id('u32', 'typedef'), offsetBits: 224 },
          { name: 'self', type: first + 4, offsetBits: 256 },
        ],
      },
      { kind: 'enum', name: 'module_mode', size: 4, values: [{ name: 'MODULE_OFF', value: 0 }] },
      // A second struct of a name that the base has.
      { kind: 'struct', name: 'list_head', size: 8, members: [{ name: 'own', type: first, offsetBits: 0 }] },
      { kind: 'ptr', type: first + 1 },
      { kind: 'func_proto', returnType: id('int', 'int'), params: [{ name: 'state', type: first + 4 }] },
      { kind: 'func', name: 'module_start', type: first + 5, linkage: 'static' },
      { kind: 'var', name: 'module_variable', type: first + 3, linkage: 'global' },
      { kind: 'datasec', name: '.module', size: 8, vars: [{ type: first + 7, offset: 0, size: 8 }] },
      { kind: 'decl_tag', name: 'bpf_kfunc', type: first + 6, component: -1 },
    ],
    { base },
  )
}

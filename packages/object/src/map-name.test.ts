import { describe, expect, it } from 'vitest'
import { kernelDataName, kernelMapName, objectName } from './map-name.ts'

describe('names of maps in the kernel', () => {
  it.each([
    ['my_object_name.bpf.o', '.rodata', 'my_objec.rodata'],
    ['my_object_name.bpf.o', '.bss', 'my_objec.bss'],
    ['my_object_name.bpf.o', '.kconfig', 'my_obje.kconfig'],
    ['my_object_name.bpf.o', '.rodata.abracadabra', '.rodata.abracad'],
    ['my_object_name.bpf.o', '.data.x', '.data.x'],
    ['/build/syscount.bpf.o', '.rodata', 'syscount.rodata'],
    ['a', '.data', 'a.data'],
    ['', '.data', '.data'],
    ['x-y z.o', '.bss', 'x_y_z.bss'],
    ['läufer.o', '.bss', 'l__ufer.bss'],
    ['.hidden.o', '.bss', '.bss'],
    ['no.such/dir/', '.bss', '.bss'],
  ])('%s and %s give %s, as libbpf says', (file, section, name) => {
    expect(kernelDataName(section, objectName(file))).toBe(name)
  })

  it('cuts to 15 bytes and replaces what the kernel refuses', () => {
    expect(kernelMapName('pinned_counters_with_a_long_name')).toBe('pinned_counters')
    expect(kernelMapName('a/b c')).toBe('a_b_c')
  })
})

import { describe, expect, it } from 'vitest'
import { CHeaders } from './c-header.mjs'
import { KernelTypes } from './vmlinux-btf.mjs'
import { readHelpers } from './helper-facts.mjs'
import { readSections } from './section-facts.mjs'
function read(text) {
  const headers = new CHeaders()
  headers.add('linux/demo.h', text)
  return headers
}
describe('CHeaders', () => {
  it('counts enumerators on from the last one that has a number', () => {
    const headers = read('enum demo { A, B = 5, /* C, */ C, D = B, E, };')
    expect(headers.enumNames('demo').map((name) => [name, Number(headers.value(name))])).toEqual([
      ['A', 0],
      ['B', 5],
      ['C', 6],
      ['D', 5],
      ['E', 6],
    ])
    expect(headers.path('C')).toBe('linux/demo.h enum demo')
  })
  it('takes no notice of a macro that repeats an enumerator between the enumerators', () => {
    const headers = read('enum { A = (1U << 3),\n#define A A\n B\n};\n#define B B /* 1 << 4 */\n')
    expect([headers.value('A'), headers.value('B')]).toEqual([8n, 9n])
    expect(headers.path('B')).toBe('linux/demo.h')
  })
  it('does not count on after enumerators that a macro makes', () => {
    const headers = read('enum demo { MAPPER(FN) AFTER, KNOWN = 3 };')
    expect(headers.value('KNOWN')).toBe(3n)
    const after = read('enum demo { MAPPER(FN)\n, AFTER };')
    expect(() => after.value('AFTER')).toThrow()
  })
  it.each([
    ['0x10', 16n],
    ['010', 8n],
    ['-100', -100n],
    ['(1ULL << 32)', 4294967296n],
    ['(0xfffffULL << 32)', 4503595332403200n],
    ["('x' + 1)", 121n],
    ['(A|B)', 3n],
    ['A | B << 2', 9n],
    ['~A & 0xff', 254n],
    ['((__force __u32)0x00000001)', 1n],
    ['(-1L)', -1n],
    ["_IO ('$', 0)", 9216n],
    ["_IOW('$', 8, __u32)", 1074013192n],
    ["_IOR('$', 7, __u64 *)", 2148017159n],
  ])('evaluates %s', (expression, value) => {
    expect(read('#define A 1\n#define B 2\n').evaluate(expression)).toBe(value)
  })
  it.each(['1 +', '(1', '1 2', 'sizeof(int)', 'MISSING', 'a ? b : c', ''])('throws on %j', (expression) => {
    expect(() => read('').evaluate(expression)).toThrow()
  })
  it('throws on a name that stands for itself through another', () => {
    expect(() => read('#define A B\n#define B A\n').value('A')).toThrow('is defined by itself')
  })
  it('leaves macros with parameters alone', () => {
    expect(read('#define F(x) (x)\n#define G (1)\n').names('linux/demo.h', /./)).toEqual(['G'])
  })
})
describe('readSections', () => {
  const source = (rows) => `static const struct bpf_sec_def section_defs[] = {\n${rows}\n};\n`
  const version = '#define LIBBPF_MAJOR_VERSION 1\n#define LIBBPF_MINOR_VERSION 5\n'
  it('reads the three forms of a name, and flags through their aliases', () => {
    const text = source(
      '\tSEC_DEF("a+",\tTRACING, BPF_TRACE_FENTRY, SEC_ATTACH_BTF | SEC_SLEEPABLE, attach_trace), /* c */\n' +
        '\tSEC_DEF("b/",\tKPROBE, 0, SEC_NONE),\n\tSEC_DEF("c/d", XDP, BPF_XDP, SEC_ATTACHABLE_OPT),',
    )
    expect(readSections(text, version, 'libbpf.c')).toEqual({
      path: 'libbpf.c',
      libbpf: '1.5',
      rows: [
        {
          prefix: 'a',
          match: 'optional',
          progType: 'tracing',
          attachType: 'trace_fentry',
          flags: ['attach_btf', 'sleepable'],
          attach: 'trace',
        },
        { prefix: 'b', match: 'required', progType: 'kprobe', attachType: null, flags: [], attach: null },
        {
          prefix: 'c/d',
          match: 'exact',
          progType: 'xdp',
          attachType: 'xdp',
          flags: ['exp_attach_opt', 'attachable'],
          attach: null,
        },
      ],
    })
  })
  it('throws where it would leave a row out or lose a flag', () => {
    expect(() => readSections(source('SEC_DEF(NAME, XDP, 0, 0),'), version, 'x')).toThrow('read 0 of 1')
    expect(() => readSections(source('SEC_DEF("a", XDP, 0, SEC_NEW),'), version, 'x')).toThrow('SEC_NEW')
  })
})
describe('readHelpers', () => {
  const kernel = new KernelTypes([
    { id: 1, kind: 'ENUM', name: 'bpf_func_id', values: [{ name: 'BPF_FUNC_two', val: 2 }] },
  ])
  const header = (prototype) =>
    ` * ${prototype}\n * \tDescription\n#define ___BPF_FUNC_MAPPER(FN, ctx...)\\\n\tFN(unspec, 0, ##ctx)\\\n\tFN(two, 2, ##ctx)\\\n\n`
  it('reads return type and parameters', () => {
    expect(
      readHelpers(header('const void *bpf_two(struct bpf_map *map, u64 **flags, ...)'), kernel)[1],
    ).toEqual({
      name: 'two',
      value: 2,
      kernel: 'BPF_FUNC_two',
      returns: 'const void *',
      params: [
        { name: 'map', type: 'struct bpf_map *' },
        { name: 'flags', type: 'u64 **' },
        { name: '...', type: '...' },
      ],
    })
  })
  it('throws where a prototype is missing or the BTF knows another number', () => {
    expect(() => readHelpers(header('nothing here'), kernel)).toThrow('bpf_two has no prototype')
    const other = new KernelTypes([
      { id: 1, kind: 'ENUM', name: 'bpf_func_id', values: [{ name: 'BPF_FUNC_two', val: 3 }] },
    ])
    expect(() => readHelpers(header('long bpf_two(void)'), other)).toThrow('BPF_FUNC_two is 3')
  })
})

import type { VerifierMessage } from './verifier-messages.ts'

/** Messages about registers, pointers and memory (kernel/bpf/verifier.c, check_mem_access and what it calls). */
export const accessMessages: readonly VerifierMessage[] = [
  {
    id: 'null-check',
    message: "R0 invalid mem access 'map_value_or_null'",
    pattern: /invalid mem access '\w*_or_null/,
    meaning: 'The pointer may be NULL here: a helper gives NULL where it finds or gets nothing.',
    fix: 'compare the pointer with NULL and use it only where it is not',
  },
  {
    id: 'not-a-pointer',
    message: "R1 invalid mem access 'scalar'",
    pattern: /invalid mem access '(?:scalar|inv|imm)'/,
    meaning:
      'The register holds a number, not a pointer, so nothing can be read or written through it. Addresses that were read from kernel memory, or calculated, are numbers to the verifier.',
    fix: 'read kernel memory with bpf_probe_read_kernel or BPF_CORE_READ, and keep pointers out of arithmetic and of integer variables',
  },
  {
    id: 'uninitialized-register',
    message: 'R2 !read_ok',
    pattern: /^R\d+ !read_ok/m,
    meaning:
      'The register is read before anything was put into it on this path. R1 to R5 are lost by every call; R0 must be set before exit.',
    fix: 'give the variable a value on every path, keep what must outlive a call in R6 to R9, and return a value at the end of every path',
  },
  {
    id: 'frame-pointer',
    message: 'frame pointer is read only',
    pattern: /frame pointer is read only/,
    meaning: 'R10 points to the stack frame and cannot be changed.',
    fix: 'copy R10 into another register and calculate there',
  },
  {
    id: 'unbounded-index',
    message: 'R0 unbounded memory access, make sure to bounds check any such access',
    pattern: /unbounded memory access, make sure to bounds check/,
    meaning: 'An offset that has no upper limit was added to the pointer.',
    fix: 'compare the offset with the size of the memory before adding it (if (i < N)), on the same variable that is added',
  },
  {
    id: 'negative-index',
    message: 'R0 min value is negative, either use unsigned index or do a if (index >=0) check.',
    pattern: /min value is negative, either use unsigned index/,
    meaning: 'The offset that was added to the pointer may be negative.',
    fix: 'make the index unsigned, or check that it is not negative before it is added',
  },
  {
    id: 'index-too-large',
    message: 'R0 max value is outside of the allowed memory range',
    pattern: /max value is outside of the allowed memory range/,
    meaning: 'The offset has a limit, but the largest one still reaches beyond the memory.',
    fix: 'lower the limit: offset + size of the access must not be more than the size of the memory',
  },
  {
    id: 'map-value-bounds',
    message: 'invalid access to map value, value_size=8 off=8 size=8',
    pattern: /invalid access to (?:map value|map key|memory|map value pointer),/,
    meaning:
      'The access begins before or ends behind the memory (value_size, mem_size) that the pointer points to.',
    fix: 'keep offset + size within the size that the message gives; for strings and arrays check the index first',
  },
  {
    id: 'packet-bounds',
    message: 'invalid access to packet, off=12 size=2, R2(id=0,off=12,r=0)',
    pattern: /invalid access to packet,|offset is outside of the packet/,
    meaning:
      'The packet may be shorter than this: r= says how many bytes have been checked against data_end on this path, and after helpers that change the packet none has.',
    fix: 'check if (data + offset + size > data_end) return … before the access, and read data and data_end again after helpers that change the packet',
  },
  {
    id: 'misaligned',
    message: 'misaligned stack access off 0+0+-15 size 8',
    pattern: /misaligned \w*(?: ?\w+ )?access/,
    meaning:
      'The address is not a multiple of the size of the access, which pointers of this kind must have.',
    fix: 'align the variable or the member to its size, or copy it byte by byte (__builtin_memcpy)',
  },
  {
    id: 'uninitialized-stack',
    message: 'invalid read from stack R10 off=-8 size=8',
    pattern:
      /invalid (?:indirect )?(?:read|access) (?:from|to) stack (?:R\d+ )?(?:off|var_off) \S+\+|invalid (?:read from|indirect access to) stack R\d+ off=-(?:\d{1,2}|[1-4]\d\d|50\d|51[0-2]) /,
    meaning:
      'Bytes of the stack are read, or handed to a helper, that nothing has written on this path; padding of structs counts.',
    fix: 'set the whole variable before: struct key k = {}; or __builtin_memset(&k, 0, sizeof(k))',
    relaxedBy: ['CAP_PERFMON'],
  },
  {
    id: 'stack-bounds',
    message: 'invalid write to stack R10 off=-520 size=8',
    pattern:
      /invalid (?:write to|read from|indirect access to|zero-sized .*)?\s?stack R\d+ off=|invalid stack (?:type )?R\d+ off=/,
    meaning: 'The access is outside of the stack frame: offsets go from -512 to -1.',
    fix: 'keep to the variables of the function; move large ones into a map (a per-CPU array of one element)',
  },
  {
    id: 'variable-stack-offset',
    message: 'invalid unbounded variable-offset write to stack R3',
    pattern: /variable[- ](?:offset|stack)/,
    meaning: 'The stack is accessed at an index that is not a constant and has no limits.',
    fix: 'check the index against the length of the array, or unroll the loop, or put the array into a map',
  },
  {
    id: 'context-access',
    message: 'invalid bpf_context access off=2 size=4',
    pattern: /invalid bpf_context access/,
    meaning:
      'The context has no member at this offset and size that programs of this type may read (or write): offset, size and direction must be those of a member.',
    fix: 'use the members of the context struct of this program type as they are declared, each with its own size; a section name of another program type has another context',
  },
  {
    id: 'modified-pointer',
    message: 'dereference of modified ctx ptr R1 off=8 disallowed',
    pattern: /dereference of modified |negative offset \w+ ptr|variable \w+ access var_off=/,
    meaning: 'Something was added to a pointer that must be used as it is.',
    fix: 'access members as pointer->member with constant offsets, and hand the pointer on unchanged',
  },
  {
    id: 'pointer-before-null-check',
    message: 'R0 pointer arithmetic on map_value_or_null prohibited, null-check it first',
    pattern: /pointer arithmetic on \w+_or_null prohibited/,
    meaning: 'Something is added to a pointer that may be NULL.',
    fix: 'compare the pointer with NULL before the arithmetic',
  },
  {
    id: 'pointer-32-bit',
    message: 'R1 32-bit pointer arithmetic prohibited',
    pattern: /32-bit pointer arithmetic prohibited/,
    meaning: 'An instruction on the lower 32 bits would cut the pointer in half.',
    fix: 'keep pointers in 64-bit variables (void *, unsigned long), never in int',
  },
  {
    id: 'pointer-arithmetic',
    message: 'R1 pointer arithmetic with *= operator prohibited',
    pattern: /pointer arithmetic (?:with|on|prohibited)|bitwise operator .* on pointer prohibited/,
    meaning:
      'Pointers can only be added to and subtracted from, and some kinds (such as maps and sockets) not even that.',
    fix: 'calculate with the offset alone, as a number, and add it to the pointer last',
  },
  {
    id: 'pointer-plus-pointer',
    message: 'R2 pointer += pointer prohibited',
    pattern: /pointer \S+ pointer prohibited|tried to subtract pointer from scalar/,
    meaning: 'Two pointers are added, or a pointer is subtracted from a number: the result points nowhere.',
    fix: 'add numbers to a pointer, not pointers',
  },
  {
    id: 'unbounded-pointer-math',
    message: 'math between map_value pointer and register with unbounded min value is not allowed',
    pattern:
      /math between .* pointer and|pointer offset -?\d+ is not allowed|makes .* pointer be out of bounds/,
    meaning: 'A number is added to the pointer that may be far below or above what any memory has.',
    fix: 'limit the number first (x &= 0xff, or a comparison of both ends); make it unsigned',
  },
  {
    id: 'read-only-map',
    message: 'write into map forbidden, value_size=4 off=0 size=4',
    pattern: /write into map forbidden|read from map forbidden/,
    meaning: 'The map is read-only (or write-only) for programs: constants (.rodata, const volatile) are.',
    fix: 'take const away from the variable, or do not write to it; maps: leave out the flag BPF_F_RDONLY_PROG (BPF_F_WRONLY_PROG)',
  },
  {
    id: 'read-only-memory',
    message: 'only read is supported',
    pattern: /cannot write into (?!packet)|only read is supported|only read from \S+ is supported/,
    meaning: 'The pointer points to memory that programs may only read, such as kernel structs.',
    fix: 'do not write through it; where the kernel has a helper or kfunc for the change, call that',
  },
  {
    id: 'packet-read-only',
    message: 'cannot write into packet',
    pattern: /cannot write into packet/,
    meaning: 'Programs of this type may read packets and not change them.',
    fix: 'write from a type that may: tc (sched_cls), xdp, lwt_xmit, sk_skb',
  },
  {
    id: 'beyond-struct',
    message: 'access beyond struct task_struct at off 32000 size 8',
    pattern: /access beyond (?:struct|the end of)|access beyond the end of/,
    meaning: "The offset is behind the end of the struct as this kernel's BTF has it.",
    fix: 'compile with CO-RE (vmlinux.h with preserve_access_index), so that offsets are relocated to this kernel',
  },
]

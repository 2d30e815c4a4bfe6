import { enableStats, progGetInfo, progLoad } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { attachTypes, progTypes } from '@tsbpf/uapi'
import type { AttachTypeName, ProgTypeName } from '@tsbpf/uapi'
import type { AttachableProgram, Link } from '../../src/index.ts'

/** `r0 = value; exit`. */
function returning(value: number): Uint8Array {
  return Uint8Array.of(0xb7, 0, 0, 0, value, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0)
}

/** What a test loads. */
export interface TestProgram {
  readonly type: ProgTypeName
  readonly attachType?: AttachTypeName
  /** What it returns: 0 unless given. */
  readonly returns?: number
  /** Type id of its target in the kernel's BTF. */
  readonly attachBtfId?: number
  readonly flags?: number
}

export function loadProgram(sys: Sys, test: TestProgram): AttachableProgram {
  const { fd, logTrueSize } = progLoad(sys, {
    prog_type: progTypes.value(test.type),
    expected_attach_type: test.attachType === undefined ? 0 : attachTypes.value(test.attachType),
    attach_btf_id: test.attachBtfId ?? 0,
    prog_flags: test.flags ?? 0,
    insns: returning(test.returns ?? 0),
    license: 'GPL',
  })
  if (fd < 0) throw new Error(`${test.type} cannot be loaded: ${fd}, log of ${logTrueSize} bytes`)
  return { fd, name: 'nothing' }
}

/** How often a program runs: while it is attached, and after it was detached. */
export interface Runs {
  readonly attached: number
  readonly after: number
}

/** Loads a program, attaches it, makes its event happen, detaches it, and makes it happen again. */
export async function runs(
  sys: Sys,
  test: TestProgram,
  attach: (program: AttachableProgram) => Link,
  work: () => unknown,
): Promise<Runs> {
  const stats = enableStats(sys)
  const program = loadProgram(sys, test)
  const count = (): number => Number(progGetInfo(sys, program.fd).info.run_cnt)
  try {
    const link = attach(program)
    try {
      await work()
    } finally {
      link.detach()
    }
    const attached = count()
    await work()
    return { attached, after: count() - attached }
  } finally {
    sys.close(program.fd)
    sys.close(stats)
  }
}

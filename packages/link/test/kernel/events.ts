// What makes programs run: done by this process, so that a program can count only that.
import assert from 'node:assert/strict'
import { statSync, unlinkSync } from 'node:fs'

/** Offsets in struct pt_regs of x86-64 (arch/x86/include/uapi/asm/ptrace.h): the first argument, and the result. */
export const registers = { rdi: 112, rax: 80 }
/** The arguments and result of {@link unlinkNothing}'s `do_unlinkat`. */
export const unlinked = { dfd: -100n, result: -2n }
export const cookie = 0x1234_5678_9abc_def0n

/** The lower half of a register, as the kernel's functions take and give an `int`. */
export const signed = (value: bigint): bigint => BigInt.asIntN(32, value)

/** Asks the kernel to unlink a file that is not there: `do_unlinkat(AT_FDCWD, …)` gives -ENOENT. */
export function unlinkNothing(): void {
  assert.throws(
    () => {
      unlinkSync('/no/such/file')
    },
    { code: 'ENOENT' },
  )
}

/** Whether this process may ask for the attributes of a file: `security_inode_getattr`. */
export function mayStat(): boolean {
  try {
    statSync('/')
    return true
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EPERM')
    return false
  }
}

/** Keeps the processor busy for 50 milliseconds of its own time, which passes slower where others want it too. */
export function spin(): void {
  const start = process.cpuUsage()
  for (;;) {
    const { user, system } = process.cpuUsage(start)
    if (user + system >= 50_000) return
  }
}

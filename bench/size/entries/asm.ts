import { buildInsns, r0, r1, w0, w1 } from '@tsbpf/asm'

/** Raw instructions of a page that builds a loop. */
export const code = (count: number): Uint8Array =>
  buildInsns((b) =>
    b.mov(r0, 0).mov(w1, count).label('loop').add(r0, r1).add(w1, -1).jne(w1, 0, 'loop').mov(w0, w0).exit(),
  )

import picocolors from 'picocolors'
import type { Io, Output } from './io.ts'

/** Colour functions; each returns its text unchanged where colours are off. */
export type Paint = ReturnType<typeof picocolors.createColors>

/** Colours for an output: off with NO_COLOR, on with FORCE_COLOR, else on for a terminal that is not dumb. */
export function paintFor(io: Io, output: Output): Paint {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = io.env
  const off = no !== undefined && no !== ''
  const on = (force !== undefined && force !== '' && force !== '0') || (output.isTTY && term !== 'dumb')
  return picocolors.createColors(!off && on)
}

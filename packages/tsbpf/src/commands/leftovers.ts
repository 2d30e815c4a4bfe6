import { kernelLinks, kernelProgram } from '@tsbpf/loader'
import { nativeSys } from '@tsbpf/sys/native'
import { errors } from '../errors.ts'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { cgroupLeftovers } from '../leftovers/cgroup-leftovers.ts'
import { deviceLeftovers } from '../leftovers/device-leftovers.ts'
import type { Leftover } from '../leftovers/leftover.ts'
import { pinLeftovers, structOpsLeftovers } from '../leftovers/object-leftovers.ts'
import { paintFor } from '../paint.ts'
import { printable, textTable } from '../text-table.ts'

/** Options of {@link leftovers}. */
export interface LeftoversOptions {
  readonly json: boolean
  /** Names of those to remove; nothing is removed unless named. */
  readonly remove: readonly string[]
}

/** `tsbpf leftovers`: what outlives the processes that made it, and removes what is named. */
export function leftovers(io: Io, { json, remove }: LeftoversOptions): number {
  const found = findLeftovers()
  const chosen = [...new Set(remove)].map((name) => {
    const one = found.find((leftover) => leftover.name === name)
    if (one === undefined) throw errors.CLI_LEFTOVER({ name, known: found.map((leftover) => leftover.name) })
    return one
  })
  for (const one of chosen) one.remove()
  if (json)
    io.stdout.write(toJsonDocument({ leftovers: found.map((one) => summarise(one, chosen.includes(one))) }))
  else if (chosen.length > 0)
    io.stdout.write(chosen.map(({ name }) => `removed ${printable(name)}\n`).join(''))
  else io.stdout.write(table(io, found))
  return 0
}

function findLeftovers(): readonly Leftover[] {
  const sys = nativeSys()
  const links = [...kernelLinks(sys)]
  const nameOf = (program: number): string => kernelProgram(sys, program)?.name ?? ''
  return [
    ...deviceLeftovers(sys, links, nameOf),
    ...cgroupLeftovers(sys, links, nameOf),
    ...structOpsLeftovers(sys),
    ...pinLeftovers(sys),
  ]
}

function summarise({ name, kind, place, how, object }: Leftover, removed: boolean) {
  const { kind: objectKind, id: objectId, name: objectName } = object ?? {}
  return { name, kind, place, how, objectKind, objectId, objectName, removed }
}

function table(io: Io, found: readonly Leftover[]): string {
  if (found.length === 0) return 'nothing is left behind\n'
  const rows = found.map(({ name, how, object }) => {
    const what = object === undefined ? '' : `${object.kind} ${object.id ?? ''} ${object.name}`
    return [name, how ?? '', what.replace(/ {2,}/g, ' ')]
  })
  const columns = [{ title: 'name' }, { title: 'how' }, { title: 'object' }]
  return `${textTable(paintFor(io, io.stdout), columns, rows, '')}\nremove one with: tsbpf leftovers --remove NAME\n`
}

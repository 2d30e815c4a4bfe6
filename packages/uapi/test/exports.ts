import type { FieldType, Layout, Table } from '@tsbpf/base'
import * as uapi from '../src/index.ts'
import { helpers } from '../src/helpers.ts'

/** A layout seen without its fields' types. */
export interface AnyLayout extends Omit<Layout<Record<string, FieldType<unknown>>>, 'fields' | 'offsets'> {
  readonly fields: Readonly<Record<string, FieldType<unknown>>>
  readonly offsets: Readonly<Record<string, number>>
}

export type AnyTable = Omit<Table<uapi.KernelConstant>, 'value'>

const has = (value: unknown, ...names: readonly string[]) =>
  typeof value === 'object' && value !== null && names.every((name) => name in value)

const exported = Object.entries<unknown>({ ...uapi, helpers })

/** Every table that this package exports, by the name of its export. */
export const tables: readonly (readonly [string, AnyTable])[] = exported
  .filter(([, value]) => has(value, 'rows', 'byName'))
  .map(([name, value]) => [name, value as AnyTable] as const)

/** Every layout that this package exports, each once: `attrs.map_create`, `linkInfoArms.xdp`, `progInfo`. */
export const layouts: readonly (readonly [string, AnyLayout])[] = [
  ...Object.entries<unknown>(uapi.attrs).map(([name, value]) => [`attrs.${name}`, value] as const),
  ...Object.entries<unknown>(uapi.linkInfoArms).map(
    ([name, value]) => [`linkInfoArms.${name}`, value] as const,
  ),
  ...exported
    .filter(([, value]) => has(value, 'readAt', 'offsets'))
    .filter(([, value]) => !Object.values<unknown>({ ...uapi.attrs }).includes(value))
    .filter(([, value]) => !Object.values<unknown>({ ...uapi.linkInfoArms }).includes(value)),
].map(([name, value]) => [name, value as AnyLayout] as const)

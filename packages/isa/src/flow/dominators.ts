import type { ControlFlow } from './control-flow.ts'

/** Which blocks control must have passed to reach a block. */
export interface Dominators {
  /** The closest other block that every way to a block passes; -1 for the first block and for those that none reaches. */
  readonly immediate: Int32Array
  /** True where a way from the first block reaches the block. */
  reaches(block: number): boolean
  /** True where every way to `block` passes `by`; a block that is reached dominates itself. In constant time. */
  dominates(by: number, block: number): boolean
}

/** A depth-first walk: nodes by their number, and the number of each, from 1; 0 where it was not reached. */
function walk(
  count: number,
  root: number,
  next: (node: number) => readonly number[],
): {
  readonly order: Int32Array
  readonly number: Int32Array
  readonly parent: Int32Array
  readonly ends: Int32Array
} {
  const order = new Int32Array(count + 1)
  const number = new Int32Array(count)
  const parent = new Int32Array(count).fill(-1)
  const ends = new Int32Array(count)
  const stack: { readonly node: number; readonly list: readonly number[]; at: number }[] = []
  let seen = 0
  const enter = (node: number): void => {
    number[node] = ++seen
    order[seen] = node
    stack.push({ node, list: next(node), at: 0 })
  }
  if (count > 0) enter(root)
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = top.list[top.at++]
    if (to === undefined) {
      ends[top.node] = seen
      stack.pop()
    } else if (number[to] === 0) {
      parent[to] = top.node
      enter(to)
    }
  }
  return { order: order.subarray(0, seen + 1), number, parent, ends }
}

/**
 * Finds the dominators of all blocks, by the method of Lengauer and Tarjan (1979) with path compression: near linear in
 * blocks and edges, whatever the graph. Edges of indirect jumps are not known, and not followed.
 *
 * @example
 * ```ts
 * import { controlFlow, dominators, parseInsns } from '@tsbpf/isa'
 * const { insns } = parseInsns('if r1 == 0 goto +1\nr0 = 1\nexit', { dialect: 'llvm' })
 * console.log([...dominators(controlFlow(insns)).immediate]) // [-1, 0, 0]
 * ```
 */
export function dominators({ blocks }: Pick<ControlFlow, 'blocks'>): Dominators {
  const count = blocks.length
  const successors = blocks.map((block) => block.successors.map((edge) => edge.to))
  const { order, number, parent } = walk(count, 0, (node) => successors[node] ?? [])
  const at = (list: Int32Array, index: number): number => list[index] ?? -1

  const semi = number.slice()
  const ancestor = new Int32Array(count).fill(-1)
  const label = Int32Array.from({ length: count }, (_, i) => i)
  const immediate = new Int32Array(count).fill(-1)
  /** Buckets as lists: the first of each, and the next after each. */
  const bucket = new Int32Array(count).fill(-1)
  const after = new Int32Array(count).fill(-1)

  /** The node of least semidominator on the way from a node up to the root of its tree, which is left out. */
  const evaluate = (node: number): number => {
    if (at(ancestor, node) < 0) return node
    const path: number[] = []
    for (let up = node; at(ancestor, at(ancestor, up)) >= 0; up = at(ancestor, up)) path.push(up)
    for (let up = path.pop(); up !== undefined; up = path.pop()) {
      const above = at(ancestor, up)
      if (at(semi, at(label, above)) < at(semi, at(label, up))) label[up] = at(label, above)
      ancestor[up] = at(ancestor, above)
    }
    return at(label, node)
  }

  for (let i = order.length - 1; i > 1; i--) {
    const node = at(order, i)
    for (const from of blocks[node]?.predecessors ?? []) {
      if (at(number, from) === 0) continue
      semi[node] = Math.min(at(semi, node), at(semi, evaluate(from)))
    }
    const holder = at(order, at(semi, node))
    after[node] = at(bucket, holder)
    bucket[holder] = node
    const above = at(parent, node)
    ancestor[node] = above
    for (let held = at(bucket, above); held >= 0; held = at(after, held)) {
      const least = evaluate(held)
      immediate[held] = at(semi, least) < at(semi, held) ? least : above
    }
    bucket[above] = -1
  }
  for (let i = 2; i < order.length; i++) {
    const node = at(order, i)
    const found = at(immediate, node)
    if (found !== at(order, at(semi, node))) immediate[node] = at(immediate, found)
  }

  const children = blocks.map((): number[] => [])
  for (const [node, by] of immediate.entries()) if (by >= 0) children[by]?.push(node)
  const tree = walk(count, 0, (node) => children[node] ?? [])
  const reaches = (block: number): boolean => at(number, block) > 0
  return {
    immediate,
    reaches,
    dominates: (by, block) =>
      reaches(by) &&
      reaches(block) &&
      at(tree.number, by) <= at(tree.number, block) &&
      at(tree.number, block) <= at(tree.ends, by),
  }
}

export type { Helper, HelperParam } from './helper.ts'
export * from './generated/helpers.ts'

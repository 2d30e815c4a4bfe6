export * from '@tsbpf/isa'
export * from './builder/index.ts'

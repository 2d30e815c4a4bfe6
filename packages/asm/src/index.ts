export * from '@tsbpf/isa'

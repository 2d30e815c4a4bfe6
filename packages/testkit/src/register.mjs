// Lets a child process run the sources: node --import register.mjs --conditions=@tsbpf/source FILE.ts
import { register } from 'node:module'

register('./ts-hooks.mjs', import.meta.url)

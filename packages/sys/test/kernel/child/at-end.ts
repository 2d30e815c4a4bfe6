// Asks for undos that say so, tells how many listeners that makes, and ends as its argument says.
import { writeSync } from 'node:fs'
import { nativeSys } from '../../../src/native/index.ts'

const say = (text: string): void => void writeSync(1, `${text}\n`)
const sys = nativeSys()
const atEnd = (undo: () => void): (() => void) => sys.atEnd?.(undo) ?? (() => undefined)
const events = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM']
const listeners = (): string => events.map((name) => process.listenerCount(name)).join()

const before = listeners()
const forget = atEnd(() => {
  say('taken back')
})
const during = listeners()
forget()
forget()
say(`${before} ${during} ${listeners()}`)

atEnd(() => {
  say('first')
})
atEnd(() => {
  throw new Error('this one fails')
})
atEnd(() => {
  say('last')
})

const wait = (): NodeJS.Timeout => setInterval(() => undefined, 1000)
const ends = new Map<string, () => unknown>([
  ['empty', () => undefined],
  ['exit', () => process.exit(7)],
  ['signal', wait],
  [
    'somebody else listens',
    () => {
      const waiting = wait()
      process.once('SIGTERM', () => {
        setTimeout(() => {
          say('done')
          clearInterval(waiting)
          process.exitCode = 3
        }, 20)
      })
    },
  ],
])
const end = ends.get(process.argv[2] ?? '')
say('ready')
if (end === undefined) throw new Error('uncaught')
end()

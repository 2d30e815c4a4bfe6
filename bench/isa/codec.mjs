/**
 * What decoding and encoding a million instructions cost, beside bare loops over the same bytes with a DataView: one that
 * reads every field, for `InsnView`, which does that in place; one that makes an object of the fields of each slot, for
 * `decodeInsns`; and one that writes every field, for `encodeInsns`. `node bench/isa/codec.mjs`, after the build. All run
 * in turn, in rounds; the ratio of the medians is printed, of processor time.
 *
 * ROUNDS sets how often (7 unless set); LIMIT makes it fail where a ratio is larger.
 */
import { decodeInsns, encodeInsns, InsnView } from '@tsbpf/isa'
import { median, mixOf } from './mix.mjs'

const rounds = Number(process.env.ROUNDS ?? 7)
const limit = Number(process.env.LIMIT ?? Infinity)
const littleEndian = true
const bytes = mixOf(1_000_000)
const view = new DataView(bytes.buffer)

/** What was read is kept, so that nothing can be left out. */
let kept = 0
let object
const reading = {
  'read by hand'() {
    for (let at = 0; at < bytes.length; at += 8) {
      const registers = view.getUint8(at + 1)
      kept ^=
        view.getUint8(at) ^
        (registers & 15) ^
        (registers >> 4) ^
        view.getInt16(at + 2, littleEndian) ^
        view.getInt32(at + 4, littleEndian)
    }
  },
  InsnView() {
    const insnView = new InsnView(bytes, { littleEndian })
    for (let i = 0; i < insnView.count; i++)
      kept ^= insnView.opcode(i) ^ insnView.dst(i) ^ insnView.src(i) ^ insnView.off(i) ^ insnView.imm(i)
  },
  'made by hand'() {
    for (let at = 0; at < bytes.length; at += 8) {
      const registers = view.getUint8(at + 1)
      object = {
        opcode: view.getUint8(at),
        dst: registers & 15,
        src: registers >> 4,
        off: view.getInt16(at + 2, littleEndian),
        imm: view.getInt32(at + 4, littleEndian),
      }
    }
  },
  decode() {
    for (const { insn } of decodeInsns(bytes, { littleEndian })) object = insn
  },
}

/** Ways to write instructions: a list of a million would burden the collector while others are read. */
const writing = (insns) => ({
  'written by hand'() {
    const written = new DataView(new ArrayBuffer(bytes.length))
    let at = 0
    for (const { opcode, dst, src, off, imm, nextImm } of insns) {
      written.setUint8(at, opcode)
      written.setUint8(at + 1, dst | (src << 4))
      written.setInt16(at + 2, off, littleEndian)
      written.setInt32(at + 4, imm, littleEndian)
      at += 8
      if (nextImm === undefined) continue
      written.setUint32(at, 0)
      written.setInt32(at + 4, nextImm, littleEndian)
      at += 8
    }
    kept ^= written.getInt32(4)
  },
  encode() {
    kept ^= encodeInsns(insns, { littleEndian }).length
  },
})

/** Milliseconds of processor time: what else runs on the machine does not count, and the collector does. */
const cpu = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const times = new Map()
function measure(ways) {
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const started = cpu()
      run()
      // The first round is for the engine to see what is hot.
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), cpu() - started])
    }
  }
}
measure(reading)
measure(writing(Array.from(decodeInsns(bytes, { littleEndian }), (at) => at.insn)))
for (const [ours, theirs] of [
  ['InsnView', 'read by hand'],
  ['decode', 'made by hand'],
  ['encode', 'written by hand'],
]) {
  const [own, hand] = [median(times.get(ours)), median(times.get(theirs))]
  console.log(
    `${ours}: ${own.toFixed(1)} ms, ${theirs} ${hand.toFixed(1)} ms, ratio ${(own / hand).toFixed(2)}`,
  )
  if (own / hand > limit) process.exitCode = 1
}
if (kept === 0.5 || object === undefined) throw new Error('nothing was read')

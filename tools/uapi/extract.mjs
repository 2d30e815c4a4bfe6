#!/usr/bin/env node
/**
 * Reads kernel facts out of Debian's linux-source-6.12 and a 6.18 kernel's BTF, and writes packages/uapi/facts/*.json.
 *
 *     node tools/uapi/extract.mjs [--check] [--source TARBALL] [--btf FILE [--btf-kernel RELEASE]]
 *
 * Facts hold names, numbers, types and kernel paths; no text of a header. A fact file whose facts have not changed is
 * left alone, so that it goes on naming the inputs it was first read from.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CHeaders } from './c-header.mjs'
import { readAttrs, readLinkInfo, readPerfFlags, readStructs } from './layout-facts.mjs'
import { factsFolder, formatFacts, putFiles, readFacts } from './fact-file.mjs'
import { readHelpers } from './helper-facts.mjs'
import { defaultTarball, missingSource, readLinuxSource } from './linux-source.mjs'
import { readSections } from './section-facts.mjs'
import { bpfTables, headers, linuxConstants, linuxTables, sources } from './subjects.mjs'
import { readConstants, readTable } from './table-facts.mjs'
import { missingBtf, readVmlinuxBtf } from './vmlinux-btf.mjs'

async function extract(options) {
  const source = await readLinuxSource(options.source, [...headers, ...Object.values(sources)])
  const btf = await readVmlinuxBtf(options.btf, options['btf-kernel'])
  const constants = new CHeaders()
  for (const path of headers) constants.add(path, source.texts.get(path))
  const text = (name) => source.texts.get(sources[name])

  const tables = (subjects) =>
    Object.fromEntries(
      Object.entries(subjects).map(([name, subject]) => [
        name,
        readTable(subject, constants, btf.types, text('relo')),
      ]),
    )
  const inputs = { source: source.input, btf: btf.input }
  return {
    bpf: { inputs, tables: tables(bpfTables) },
    linux: {
      inputs,
      tables: tables(linuxTables),
      constants: readConstants(linuxConstants, constants, btf.types),
    },
    layouts: {
      inputs,
      attrs: readAttrs(btf.types, text('syscall')),
      structs: readStructs(btf.types),
      linkInfo: readLinkInfo(btf.types),
      perfEventAttrFlags: readPerfFlags(btf.types),
    },
    sections: {
      inputs: { source: inputs.source },
      ...readSections(text('libbpf'), text('version'), sources.libbpf),
    },
    helpers: {
      inputs,
      path: 'include/uapi/linux/bpf.h',
      rows: readHelpers(source.texts.get('include/uapi/linux/bpf.h'), btf.types),
    },
  }
}

/** The present file's inputs, where all else is the same. */
function keepInputs(name, facts) {
  if (!existsSync(`${factsFolder}${name}.json`)) return facts
  const { inputs } = readFacts(name)
  const kept = { ...facts, inputs }
  return formatFacts(kept) === formatFacts(readFacts(name)) ? kept : facts
}

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    source: { type: 'string', default: process.env.TSBPF_LINUX_SOURCE ?? defaultTarball },
    btf: { type: 'string', ...(process.env.TSBPF_BTF_618 ? { default: process.env.TSBPF_BTF_618 } : {}) },
    'btf-kernel': { type: 'string' },
  },
})

const missing = [missingSource(values.source), missingBtf(values.btf)].filter((text) => text !== undefined)
for (const text of missing) console.error(`error: ${text}`)
if (missing.length > 0) process.exit(1)

const facts = Object.entries(await extract(values))
const files = facts.map(([name, fact]) => [
  `${factsFolder}${name}.json`,
  `${formatFacts(keepInputs(name, fact))}\n`,
])
const different = putFiles(files, values)
for (const path of different) console.error(values.check ? `differs: ${path}` : `wrote ${path}`)
if (values.check && different.length > 0) process.exitCode = 1

import { readFileSync } from 'node:fs'
import Ajv from 'ajv'

type Command =
  'inspect' | 'disasm' | 'asm' | 'core-reloc' | 'check' | 'btf-dump' | 'btf-min-core' | 'run' | 'leftovers'

const ajv = new Ajv({ allErrors: true })

/** What is wrong with a value by the JSON Schema of a command's output; `undefined` where nothing is. */
export function schemaProblems(command: Command, value: unknown): string | undefined {
  const file = new URL(`../../../../docs/schemas/${command}.schema.json`, import.meta.url)
  const schema = JSON.parse(readFileSync(file, 'utf8')) as { readonly $id: string }
  const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema)
  return validate(value) === true ? undefined : ajv.errorsText(validate.errors)
}

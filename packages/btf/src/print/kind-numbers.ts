import { kinds } from '../kinds.ts'

// The numbers of the kinds, for switches on the tables of a flat BTF.
export const kindInt = kinds.value('int')
export const kindPtr = kinds.value('ptr')
export const kindArray = kinds.value('array')
export const kindStruct = kinds.value('struct')
export const kindUnion = kinds.value('union')
export const kindEnum = kinds.value('enum')
export const kindFwd = kinds.value('fwd')
export const kindTypedef = kinds.value('typedef')
export const kindVolatile = kinds.value('volatile')
export const kindConst = kinds.value('const')
export const kindRestrict = kinds.value('restrict')
export const kindFunc = kinds.value('func')
export const kindFuncProto = kinds.value('func_proto')
export const kindVar = kinds.value('var')
export const kindDatasec = kinds.value('datasec')
export const kindFloat = kinds.value('float')
export const kindDeclTag = kinds.value('decl_tag')
export const kindTypeTag = kinds.value('type_tag')
export const kindEnum64 = kinds.value('enum64')

/** By kind: the word of a type at which the one type it stands before is: pointers, qualifiers, arrays; 0 for others. */
export const nextWords = new Uint8Array(128)
for (const kind of [kindPtr, kindVolatile, kindConst, kindRestrict, kindTypeTag]) nextWords[kind] = 2
nextWords[kindArray] = 3

/** As `nextWords`, with typedefs and declaration tags. */
export const chainWords = Uint8Array.from(nextWords)
for (const kind of [kindTypedef, kindDeclTag]) chainWords[kind] = 2

/** By kind: 1 where C has something to define for it, or for what it leads to. */
export const definers = new Uint8Array(128).fill(1)
for (const kind of [kindInt, kindFloat, kindFunc, kindVar, kindDatasec, kindDeclTag]) definers[kind] = 0

/** Names that no interface of a module may have, or that the types printed here use themselves. */
const reserved = new Set(
  (
    'any arguments as async await bigint boolean break case catch class const continue debugger declare default ' +
    'delete do else enum eval export extends false finally for from function get global if implements import in ' +
    'infer instanceof interface intrinsic is keyof let module namespace never new null number object of package ' +
    'private protected public readonly require return set static string super switch symbol this throw true try ' +
    'type typeof undefined unique unknown using var void while with yield Uint8Array'
  ).split(' '),
)

/** Gives each type a name of its own that TypeScript takes. */
export function tsNames(): (name: string) => string {
  const taken = new Set<string>()
  return (name) => {
    // BTF of other languages has names that are no identifiers.
    const plain = name.replaceAll(/[^\w$]/g, '_').replace(/^(?=\d|$)/, '_')
    let unique = reserved.has(plain) ? `${plain}_` : plain
    for (let count = 2; taken.has(unique) || reserved.has(unique); count++) unique = `${plain}___${count}`
    taken.add(unique)
    return unique
  }
}

const identifier = /^[A-Za-z_$][\w$]*$/

/** A property's name; keywords need no quotes there. */
export function tsProperty(name: string): string {
  return identifier.test(name) ? name : JSON.stringify(name)
}

/** A string's type. */
export function tsString(text: string): string {
  return identifier.test(text) ? `'${text}'` : JSON.stringify(text)
}

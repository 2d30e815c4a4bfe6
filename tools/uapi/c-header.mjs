/**
 * Reads names and numbers out of C headers: object-like macros and enumerators. It knows as much C as the kernel's
 * uapi headers use for constants, and throws on what it does not know when such a constant is asked for.
 */

/** Stands for an enumerator that was not read. */
const unknown = '(unknown)'

function withoutComments(text) {
  return text.replace(/\\\r?\n/g, ' ').replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ' ')
}

/** Enumerations and macros of some headers, by the path they have in the kernel's tree. */
export class CHeaders {
  /** name -> { path, where, expression } or { path, where, value } */
  #symbols = new Map()
  /** enum name -> [{ name, path }] in file order */
  #enums = new Map()
  /** path -> names of its macros and enumerators in file order */
  #files = new Map()

  add(path, source) {
    const text = withoutComments(source)
    const names = []
    this.#files.set(path, names)
    const define = (name, symbol) => {
      names.push(name)
      if (!this.#symbols.has(name)) this.#symbols.set(name, { path, ...symbol })
    }
    for (const [, tag, body] of text.matchAll(/\benum\b\s*(\w+)?\s*\{([^}]*)\}/g)) {
      const members = []
      let previous
      // A macro may stand between the enumerators, one with the enumerator's own name included.
      for (const item of body.replace(/^\s*#.*$/gm, '').split(',')) {
        const match = /^\s*(\w+)\s*(?:=([\s\S]*))?$/.exec(item)
        if (match === null) {
          // Enumerators that a macro makes: those after it cannot be counted.
          if (item.trim() !== '') previous = unknown
          continue
        }
        const [, name, expression] = match
        const where = tag === undefined ? 'enum' : `enum ${tag}`
        define(name, { where, expression: expression?.trim(), previous })
        members.push(name)
        previous = name
      }
      if (tag !== undefined && !this.#enums.has(tag)) this.#enums.set(tag, members)
    }
    for (const [, name, expression] of text.matchAll(
      /^[ \t]*#[ \t]*define[ \t]+(\w+)(?![\w(])[ \t]*(.*)$/gm,
    )) {
      const value = expression.trim()
      if (value !== '' && value !== name) define(name, { where: 'macro', expression: value })
    }
  }

  has(name) {
    return this.#symbols.has(name)
  }

  /** Names of an enumeration, in order; those of its bounds (`__MAX_…`) included. */
  enumNames(tag) {
    const names = this.#enums.get(tag)
    if (names === undefined) throw new Error(`no header defines enum ${tag}`)
    return names
  }

  /** Names that a header defines, in order, that match. */
  names(path, pattern) {
    const names = this.#files.get(path)
    if (names === undefined) throw new Error(`${path} was not read`)
    return [...new Set(names.filter((name) => pattern.test(name)))]
  }

  /** The kernel path of a name: file and, for an enumerator, its enumeration. */
  path(name) {
    const symbol = this.#symbol(name)
    return symbol.where.startsWith('enum ') ? `${symbol.path} ${symbol.where}` : symbol.path
  }

  /** The value of a name, as a bigint. */
  value(name, depth = 0) {
    const symbol = this.#symbol(name)
    if (depth > 64) throw new Error(`${name} is defined by itself`)
    symbol.value ??=
      symbol.expression !== undefined
        ? this.evaluate(symbol.expression, depth + 1)
        : symbol.previous !== undefined
          ? this.value(symbol.previous, depth + 1) + 1n
          : 0n
    return symbol.value
  }

  #symbol(name) {
    const symbol = this.#symbols.get(name)
    if (symbol === undefined) throw new Error(`no header defines ${name}`)
    return symbol
  }

  evaluate(expression, depth = 0) {
    const tokens =
      expression.match(/0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|'(?:\\.|[^'])'|\w+|<<|>>|[()|&^~+\-*/,]|\S/g) ??
      []
    let at = 0
    const unexpected = () => new Error(`cannot read "${expression}" at "${tokens[at] ?? 'its end'}"`)
    const expect = (token) => {
      if (tokens[at] !== token) throw unexpected()
      at++
    }
    const levels = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/']]
    const operators = {
      '|': (a, b) => a | b,
      '^': (a, b) => a ^ b,
      '&': (a, b) => a & b,
      '<<': (a, b) => a << b,
      '>>': (a, b) => a >> b,
      '+': (a, b) => a + b,
      '-': (a, b) => a - b,
      '*': (a, b) => a * b,
      '/': (a, b) => a / b,
    }
    const primary = () => {
      const token = tokens[at++]
      if (token === undefined) throw unexpected()
      if (token === '-') return -primary()
      if (token === '~') return ~primary()
      if (token === '(') {
        // A cast of a constant: only its width matters, and no constant here overflows it.
        if (/^(__force|__u(8|16|32|64)|__s(8|16|32|64)|int|unsigned)$/.test(tokens[at] ?? '')) {
          while (tokens[at] !== ')') at++
          at++
          return primary()
        }
        const value = binary(0)
        expect(')')
        return value
      }
      if (token.startsWith("'")) return BigInt(token.codePointAt(1))
      if (/^\d/.test(token)) {
        const digits = token.replace(/[uUlL]+$/, '')
        return BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
      }
      if (tokens[at] === '(')
        return this.#call(token, tokens, () => {
          expect('(')
          const values = []
          while (tokens[at] !== ')') {
            // The type of a _IOR or _IOW argument matters by its size alone.
            const type = []
            const from = at
            while (tokens[at] !== ',' && tokens[at] !== ')') type.push(tokens[at++])
            if (/^(__u\d+|char|int|struct|u?int\d+_t|\*)$/.test(type[0] ?? '')) values.push(type.join(' '))
            else {
              at = from
              values.push(binary(0))
            }
            if (tokens[at] === ',') at++
          }
          expect(')')
          return values
        })
      if (/^\w/.test(token)) return this.value(token, depth)
      at--
      throw unexpected()
    }
    const binary = (level) => {
      if (level === levels.length) return primary()
      let value = binary(level + 1)
      while (levels[level].includes(tokens[at])) {
        const operator = operators[tokens[at++]]
        value = operator(value, binary(level + 1))
      }
      return value
    }
    const value = binary(0)
    if (at < tokens.length) throw unexpected()
    return value
  }

  /** The function-like macros that constants are made with: include/uapi/asm-generic/ioctl.h and bits.h. */
  #call(name, tokens, takeArguments) {
    const args = takeArguments()
    const size = (type) => {
      const bits = /^__u(\d+)$/.exec(type)
      if (bits !== null) return BigInt(bits[1]) / 8n
      if (type === 'char *' || type.endsWith('*')) return 8n
      throw new Error(`the size of "${type}" is not known`)
    }
    const ioctl = (direction, bytes) => (direction << 30n) | (bytes << 16n) | (args[0] << 8n) | args[1]
    if (name === '_IO') return ioctl(0n, 0n)
    if (name === '_IOW') return ioctl(1n, size(args[2]))
    if (name === '_IOR') return ioctl(2n, size(args[2]))
    if (name === '_IOWR') return ioctl(3n, size(args[2]))
    if (name === '_BITUL' || name === '_BITULL') return 1n << args[0]
    throw new Error(`the macro ${name}() is not known`)
  }
}

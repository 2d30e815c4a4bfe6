/**
 * Bytes of a file that a test imported with `?inline`, which the bundler turns into a data URL: so the same test reads
 * its file in Node and in a browser.
 *
 * @example
 * ```ts
 * import object from '../golden/program.o?inline'
 * const bytes = bundledFile(object)
 * ```
 */
export function bundledFile(dataUrl: string): Uint8Array {
  return Uint8Array.from(atob(dataUrl.slice(dataUrl.indexOf(',') + 1)), (char) => char.charCodeAt(0))
}

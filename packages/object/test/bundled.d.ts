/** What the bundler adds to a module (vite): the files that a pattern names, by their path from here. */
interface ImportMeta {
  readonly glob: <File>(
    pattern: string,
    options: { readonly query: '?inline'; readonly import: 'default'; readonly eager: true },
  ) => Readonly<Record<string, File>>
}

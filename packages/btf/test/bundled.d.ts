/** A file as a data URL, for `bundledFile`. */
declare module '*?inline' {
  const dataUrl: string
  export default dataUrl
}

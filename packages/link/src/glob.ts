/** A test for names by a pattern in which `*` stands for any text and `?` for one character. */
export function matcherOf(pattern: string): (name: string) => boolean {
  return (name) => {
    let at = 0
    let star = -1
    let resume = 0
    for (let i = 0; i < name.length;) {
      if (pattern[at] === '*') {
        star = at++
        resume = i
      } else if (pattern[at] === '?' || pattern[at] === name[i]) {
        at++
        i++
      } else if (star >= 0) {
        at = star + 1
        i = ++resume
      } else {
        return false
      }
    }
    while (pattern[at] === '*') at++
    return at === pattern.length
  }
}

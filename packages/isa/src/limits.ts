/** Problems that are collected in a text before the rest of it is left unread. */
export const maxTextProblems = 100

/** Problems that a message shows. */
export const shownTextProblems = 10

/** Letters of a name beyond which it is cut in messages, and no nearest name is looked for. */
export const longestShownName = 64

/** Labels beyond which no nearest name is looked for. */
export const mostSuggested = 1000

/** Characters of a line that a message shows. */
export const shownLineLength = 160

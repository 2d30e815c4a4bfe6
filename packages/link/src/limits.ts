/** Bytes of a tracepoint's id file; it holds one number. */
export const maxIdBytes = 64
/** Bytes of the list of all events; it has some 100 KiB. */
export const maxEventListBytes = 8 * 1024 * 1024

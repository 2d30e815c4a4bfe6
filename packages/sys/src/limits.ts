/** Pointer fields of one call, at all depths: BPF_LINK_CREATE takes up to 2**20 symbols, each of them a pointer. */
export const maxPointers: number = 2 ** 21

/** Depth of pointers in pointers; the kernel knows at most two (an array of names). */
export const maxPointerDepth = 4

/** Bytes of a file that `readFile` reads unless told otherwise. */
export const maxFileSize: number = 2 ** 30

// Memory: allocated by moving a pointer, and all of it freed when a call of the server ends. The compiler's stub runtime moves
// the pointer; here is how it comes back.

/** The word before a block, in which the stub runtime keeps how many bytes the block has. */
const SIZE_BEFORE: usize = 4;

let mark: usize = 0; // an empty block: what comes after it lasts for one call; 0 before the first

/** Room for n bytes until the call ends, aligned to 16. Traps if the server's 64 MiB are used up. */
// @ts-ignore: decorator
@inline
export function room(n: usize): usize {
  return heap.alloc(n);
}

/** Keeps all that was allocated so far: what the module made when it started, and its configuration. */
export function keep(): void {
  mark = heap.alloc(0);
}

/** Whether what is at that place was there at keep. */
export function isKept(at: usize): bool {
  return at < mark;
}

/** Whether keep was ever called. */
// @ts-ignore: decorator
@inline
export function hasKept(): bool {
  return mark != 0;
}

/** Frees what was allocated since keep. The bytes stay as they are until they are allocated again. */
export function release(): void {
  // Freeing gives back the last block only: let the marked one reach to the end, and be that.
  const last = heap.alloc(0);
  store<usize>(mark - SIZE_BEFORE, last + load<usize>(last - SIZE_BEFORE) - mark);
  heap.free(mark);
  mark = heap.alloc(0);
}

#include "syscall.h"

#ifndef TSBPF_HOSTED
/* The compiler calls these by itself; the loops must not be turned back into calls of themselves (see the flags). */
void *memcpy(void *restrict target, const void *restrict source, size_t size) {
  uint8_t *to = target;
  const uint8_t *from = source;
  for (; size >= 8; size -= 8, to += 8, from += 8) {
    uint64_t word;
    __builtin_memcpy(&word, from, 8);
    __builtin_memcpy(to, &word, 8);
  }
  while (size-- > 0) *to++ = *from++;
  return target;
}

void *memset(void *target, int byte, size_t size) {
  uint8_t *to = target;
  uint64_t word = 0x0101010101010101u * (uint8_t)byte;
  for (; size >= 8; size -= 8, to += 8) __builtin_memcpy(to, &word, 8);
  while (size-- > 0) *to++ = (uint8_t)byte;
  return target;
}
#endif

enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

void door_lock(struct lock *lock) {
  int free_state = 0;
  if (__atomic_compare_exchange_n(&lock->state, &free_state, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(&lock->state, 2, __ATOMIC_ACQUIRE) != 0) {
    SYS4(futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, 0);
  }
}

void door_unlock(struct lock *lock) {
  if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == 2) SYS3(futex, &lock->state, FUTEX_WAKE_PRIVATE, 1);
}

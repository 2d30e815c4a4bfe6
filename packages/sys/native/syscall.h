/* The `syscall` instruction, and the few C functions that a freestanding build needs. */
#ifndef TSBPF_SYSCALL_H
#define TSBPF_SYSCALL_H

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/* Result of the kernel, or the negated errno. */
INLINE long syscall6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "no system call instruction is known for this architecture"
#endif
}

#define SYS0(name) syscall6(__NR_##name, 0, 0, 0, 0, 0, 0)
#define SYS1(name, a) syscall6(__NR_##name, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(name, a, b) syscall6(__NR_##name, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(name, a, b, c) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(name, a, b, c, d, e, f) \
  syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Every process that can load a Node-API addon has these. */
extern void *malloc(size_t size);
extern void *calloc(size_t count, size_t size);
extern void free(void *memory);
extern int pthread_create(unsigned long *thread, const void *attributes, void *(*start)(void *), void *argument);
extern int pthread_join(unsigned long thread, void **result);

#ifndef TSBPF_HOSTED
void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memset(void *target, int byte, size_t size);
#else
#include <string.h>
#endif

/* memcpy, of which C forbids null pointers even for no bytes. */
INLINE void copy(void *target, const void *source, size_t size) {
  if (size > 0) memcpy(target, source, size);
}

/* A lock that sleeps in the kernel: what it guards is touched rarely and briefly. */
struct lock {
  int state; /* 0 free, 1 held, 2 held and waited for */
};
void door_lock(struct lock *lock);
void door_unlock(struct lock *lock);

#endif

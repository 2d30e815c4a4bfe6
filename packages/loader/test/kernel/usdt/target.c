/* A program with a probe of its own, "own:probe", in three places, whose arguments are in each kind of place. */
#include <stdio.h>

unsigned short own_probe_semaphore __attribute__((section(".probes"), used));
int own_global = -77;

/* The note as SystemTap's "UserSpaceProbeImplementation" describes it. */
#define PROBE(arguments, ...)                                                              \
  __asm__ volatile("990: nop\n"                                                            \
                   ".pushsection .note.stapsdt,\"\",\"note\"\n"                            \
                   ".balign 4\n"                                                           \
                   ".4byte 992f-991f, 994f-993f, 3\n"                                      \
                   "991: .asciz \"stapsdt\"\n"                                             \
                   "992: .balign 4\n"                                                      \
                   "993: .8byte 990b, 0, own_probe_semaphore\n"                            \
                   ".asciz \"own\"\n"                                                      \
                   ".asciz \"probe\"\n"                                                    \
                   ".asciz \"" arguments "\"\n"                                            \
                   "994: .balign 4\n"                                                      \
                   ".popsection\n" ::__VA_ARGS__)

int main(void) {
  volatile long on_stack = 0x1122334455667788;
  long table[4] = {10, 20, 30, 40};
  long index = 2;
  double floating = 1.5;

  puts(own_probe_semaphore ? "listened to" : "alone");
  PROBE("-4@%k0 8@%1 -2@$-3 8@8(%q2,%q3,8) -4@own_global(%%rip) 8f@%4", "r"(-5), "m"(on_stack), "r"(table), "r"(index),
        "x"(floating), "m"(table));
  PROBE("1@%b0", "q"(0x1ff));
  PROBE("");
  return 0;
}

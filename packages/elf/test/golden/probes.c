/* A library with USDT probes whose arguments are where compilers put them; the notes are written by hand. */
#define PROBE(provider, name, semaphore, arguments, ...)                                  \
	__asm__ volatile("990: nop\n\t"                                                   \
			 ".pushsection .note.stapsdt,\"\",@note\n\t"                      \
			 ".balign 4\n\t"                                                  \
			 ".4byte 992f-991f, 994f-993f, 3\n"                               \
			 "991: .asciz \"stapsdt\"\n"                                      \
			 "992: .balign 4\n"                                               \
			 "993: .8byte 990b, base_of_probes, " semaphore "\n\t"            \
			 ".asciz \"" provider "\"\n\t.asciz \"" name "\"\n\t"             \
			 ".asciz \"" arguments "\"\n"                                     \
			 "994: .balign 4\n\t"                                             \
			 ".popsection" ::__VA_ARGS__)

__asm__(".pushsection .stapsdt.base,\"a\",@progbits\n"
	"base_of_probes: .space 1\n"
	".popsection");

__attribute__((section(".probes"))) unsigned short listeners;
static long totals[16];
int level;

__attribute__((noinline)) long work(long first, int second, unsigned char third, long *list)
{
	volatile int local = second + 1;
	long sum = first * 3 + list[second];

	PROBE("demo", "registers", "listeners", "-8@%[a] -4@%[b] 1@%[c]", [a] "r"(first), [b] "r"(second),
	      [c] "r"(third));
	PROBE("demo", "memory", "listeners", "-4@%[a] -4@%[b] -8@%[c] 8@%[d]", [a] "m"(local), [b] "m"(level),
	      [c] "m"(list[second]), [d] "m"(totals[3]));
	PROBE("demo", "constants", "0", "-4@%[a] 8@%[b]", [a] "i"(-5), [b] "i"(1 << 20));
	totals[second & 15] += sum;
	return sum + local;
}

long caller(long *list)
{
	PROBE("demo", "none", "0", "", "i"(0));
	PROBE("other", "none", "0", "4@%[a]", [a] "nor"(level));
	return work(1, 2, 3, list);
}

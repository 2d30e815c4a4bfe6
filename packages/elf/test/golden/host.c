/* An ordinary object: relocations with addends, thread-local, common and absolute symbols. */
extern int outside(const char *);

int common;
_Thread_local int per_thread = 4;
static const char *const words[] = {"one", "two", "three"};
static int table[64];

__asm__(".globl fixed\n.set fixed, 0x1234\n");

__attribute__((visibility("protected"))) int protected_value = 5;
__attribute__((visibility("internal"))) int internal_value = 6;

__attribute__((weak)) int choose(int i)
{
	return outside(words[i & 1]) + per_thread + common + table[i & 63] + protected_value + internal_value;
}

/* The other compilation unit; see dedup-a.bpf.c. */
#include "dedup.h"

struct left;

struct right {
	long value;
	struct right *self;
	struct left *left;
};

union choice {
	u32 word;
	struct right *right;
};

struct lonely {
	u32 word;
};

struct differs {
	struct right *to;
	u32 more;
};

/* As in the other unit, but with what is a declaration there. */
struct pair pair_b;
struct right right_b;
union choice choice_b;
struct lonely *lonely_b;
struct differs differs_b;
enum mode mode_b;
double real_b;
struct twice twice_b;

int walk_back(struct right *from, int steps) { return from ? (int)from->value + steps : 0; }
static int __attribute__((noinline)) hidden(u32 word) { return word ? mode_b : 1; }
int call_hidden(u32 word) { return hidden(word); }

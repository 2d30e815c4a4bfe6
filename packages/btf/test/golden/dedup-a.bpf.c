/* One of two compilation units that know different halves of the same types; see dedup-b.bpf.c. */
#include "dedup.h"

struct right;
union choice;

struct left {
	int value;
	struct left *self;
	struct right *right;
	union choice *choice;
};

/* Nothing here leads from a struct to the definition of this. */
struct lonely;

/* Not the same as in the other unit. */
struct differs {
	struct left *to;
	u32 more;
};

struct pair pair_a;
struct inner inner_a;
struct left left_a;
struct lonely *lonely_a;
struct differs differs_a;
enum mode mode_a;
double real_a;
struct twice twice_a;

int walk(struct left *from, int steps) { return from ? from->value + steps : 0; }
char license_text[] __attribute__((section("license"), used)) = "GPL";

typedef unsigned int u32;

struct left;
struct right;

enum mode { OFF, ON, AUTO = 7 };
enum wide { FAR = 0x123456789abcdef0ULL };

struct inner {
	u32 words[4];
	enum mode mode;
	enum wide wide;
};

struct pair {
	struct left *left;
	struct right *right;
	const struct inner *volatile inner;
	int (*call)(struct pair *, u32);
	struct {
		u32 low : 3;
		u32 high : 5;
	};
};

/* Two pointers that compilers write once, and two arrays. */
struct twice {
	struct pair *one;
	struct pair *two;
	struct inner first[2];
	struct inner second[2];
};

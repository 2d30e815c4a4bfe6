/* Values whose bytes the compiler lays out, and sizes and alignments as it counts them. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned __int128 u128;
typedef __int128 s128;

enum colour { RED, GREEN = 5, BLUE = 250 };
enum negative { MINUS = -3, PLUS = 3 };
enum wide { FAR = 0x123456789abcdef0ULL, NEAR = 1 };
enum tiny { SMALL, TINY = 200 } __attribute__((packed));

struct point {
	short x, y;
};

struct bits {
	u32 a : 1;
	u32 b : 7;
	int c : 24;
	u32 : 5;
	u64 d : 40;
	_Bool e : 1;
	enum colour f : 8;
	s64 g : 50;
	u8 h : 3;
	u8 i : 5;
};

union number {
	u32 word;
	u8 bytes[4];
	struct {
		u16 first, second;
	};
};

struct everything {
	u8 byte;
	signed char small;
	char letter;
	_Bool yes, no;
	u16 half;
	short negative_half;
	u32 word;
	int negative_word;
	u64 big;
	s64 negative_big;
	u128 huge;
	s128 negative_huge;
	float real;
	double precise;
	enum colour colour, unknown;
	enum negative sign;
	enum wide wide;
	enum tiny tiny;
	char text[8];
	char full[4];
	u8 raw[5];
	signed char deltas[3];
	struct point points[2];
	u32 grid[2][3];
	char lines[2][4];
	struct bits bits;
	union number number;
	union {
		u32 either;
		float other;
	};
	struct {
		u8 deep;
		struct {
			u8 deeper;
		};
	};
	void *nothing;
	const volatile u32 qualified;
	struct {
	} empty;
	u32 rest[];
};

struct packed {
	u8 first;
	u32 second;
	u64 third;
} __attribute__((packed));

struct half_packed {
	u8 first;
	u32 second;
} __attribute__((packed, aligned(2)));

struct nested {
	u8 first;
	struct packed packed;
	struct point point;
};

struct everything value __attribute__((section(".data.value"))) = {
	.byte = 200,
	.small = -100,
	.letter = 'x',
	.yes = 1,
	.no = 0,
	.half = 60000,
	.negative_half = -30000,
	.word = 4000000000u,
	.negative_word = -2000000000,
	.big = 0xfedcba9876543210ULL,
	.negative_big = -0x123456789abcdefLL,
	.huge = ((u128)0xfedcba9876543210ULL << 64) | 0x0123456789abcdefULL,
	.negative_huge = -5,
	.real = 1.5f,
	.precise = -0.1,
	.colour = BLUE,
	.unknown = (enum colour)77,
	.sign = MINUS,
	.wide = FAR,
	.tiny = TINY,
	.text = "text",
	.full = {'f', 'u', 'l', 'l'},
	.raw = {1, 2, 3, 4, 255},
	.deltas = {-1, 0, 1},
	.points = {{1, -1}, {2, -2}},
	.grid = {{1, 2, 3}, {4, 5, 6}},
	.lines = {"ab", "cd"},
	.bits = {1, 100, -8000000, 0xabcdef0123ULL, 1, GREEN, -0x1ffffffffffffLL, 5, 17},
	.number = {0x01020304},
	.either = 0x3fc00000,
	.deep = 7,
	.deeper = 8,
	.nothing = 0,
	.qualified = 9,
};

#define MEASURE(type) (u32)sizeof(type), (u32)_Alignof(type)
const volatile u32 measures[] __attribute__((section(".rodata.measures"))) = {
	MEASURE(struct point),	MEASURE(struct bits),	     MEASURE(union number), MEASURE(struct everything),
	MEASURE(struct packed), MEASURE(struct half_packed), MEASURE(struct nested), MEASURE(enum colour),
	MEASURE(enum wide),	MEASURE(enum tiny),
};
/* The types that only measures mentions, kept in the BTF. */
struct packed keep_packed = {1, 2, 3};
struct half_packed keep_half_packed = {1, 2};
struct nested keep_nested = {1};

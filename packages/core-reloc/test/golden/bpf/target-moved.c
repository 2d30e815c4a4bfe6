/* A "kernel" where everything has moved, some things changed their size or kind, and some are gone. */
#include "core.h"
#define HAVE(type, name) type have_##name;

enum colour { EXTRA = -100, RED = 1, GREEN = 6, BLUE = -4 };
enum wide { WIDE_SMALL = 2, WIDE_BIG = 0xfedcba987654321ULL, WIDE_NEGATIVE = -200000000000 };
enum grown { GROWN_A = 0x1234567890ULL };
enum shrunk { SHRUNK_A = 3 };
enum unsigned_top { TOP = 0xfffffff1u };

struct inner { long before; int y[4]; int x; };
union either { char as_char; long as_long; int as_int; };
struct flexible { long more[3]; int count; struct inner items[]; };

struct basic {
	char padding[32];
	union {
		struct {
			long l;
			struct inner arr[6];
			struct { struct { int anon_i; }; long anon_l; };
		};
		char big[400];
	};
	u64 modified;
	struct inner in;
	unsigned long counter;
	const void *ptr;
	int anon_a;
	int became_ptr_before;
	struct inner *became_ptr;
	struct inner became_struct;
	char name[20];
	volatile int id;
	union either either;
	enum colour colour;
	int matrix[2][3];
	int past_end[4];
	int new_id;
	double real;
};

/* union instead of struct: no candidate for a struct */
union two___kinds { int first; };

struct sizes {
	int front;
	u16 b;
	u32 h;
	u64 w;
	u32 d;
	s64 sw;
	u8 shrinks;
	s32 to_signed;
	void *p;
	char text[16];
	struct inner s;
	enum wide e;
	u32 odd[3];
};

struct bits {
	u64 front;
	u32 pad : 5;
	u32 b : 9;
	u32 a : 2;
	s32 c : 13;
	u64 d : 40;
	s8 e : 3;
	u64 between;
	u32 plain : 6;
	u32 was_bits;
	enum colour kind : 5;
	u16 far_off;
};

struct duplicated { int same; int pad; int other; };
struct duplicated___2 { int same; int other; };
struct pruned { int one; int two; };
struct pruned___other { int pad; int two; };
struct deep { int a; struct { int b; struct { int c; struct { int d; struct { int e; int bottom; }; }; }; }; };
struct far { char far_away[40000]; int field; };
struct matches { long more; struct inner *p; int (*fn)(int, long); int a; };
struct mismatches { long a; long b; };
struct ref_a { int more; struct ref_a *self; enum colour c; };
struct fwd { int now_defined; };

typedef struct { long w, v; } anon_t;
typedef long number_t;
typedef struct inner inner_t;
typedef int (*callback_t)(struct inner *, long);
typedef int proto_t(struct inner *, long, int);
typedef int array_t[7];
typedef void *pointer_t;
typedef struct inner *inner_ptr_t;
typedef enum colour colour_t;
typedef struct fwd *fwd_ptr_t;

HAVE(enum colour, colour)
HAVE(enum wide, wide)
HAVE(enum grown, grown)
HAVE(enum shrunk, shrunk)
HAVE(enum unsigned_top, unsigned_top)
HAVE(struct flexible, flexible)
HAVE(struct basic, basic)
HAVE(union two___kinds, two_kinds)
HAVE(struct sizes, sizes)
HAVE(struct bits, bits)
HAVE(struct duplicated, duplicated)
HAVE(struct duplicated___2, duplicated_2)
HAVE(struct pruned, pruned)
HAVE(struct pruned___other, pruned_other)
HAVE(struct deep, deep)
HAVE(struct far, far)
HAVE(struct matches, matches)
HAVE(struct mismatches, mismatches)
HAVE(struct ref_a, ref_a)
HAVE(struct fwd, fwd)
HAVE(anon_t, anon)
HAVE(number_t, number)
HAVE(inner_t, inner)
HAVE(callback_t, callback)
HAVE(proto_t *, proto)
HAVE(array_t, array)
HAVE(pointer_t, pointer)
HAVE(inner_ptr_t, inner_ptr)
HAVE(colour_t, colour_typedef)
HAVE(fwd_ptr_t, fwd_ptr)

#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

typedef int same_type;

struct duplicate {
	same_type one;
};

enum choice {
	SAME_NAME = 0,
	ONE_NAME = 1,
};

struct duplicate___2;

typedef struct duplicate___2 *same_type___2;

struct duplicate___2 {
	long two;
	struct duplicate___2 *next;
};

enum choice___2 {
	SAME_NAME___2 = 3,
	TWO_NAME = 4,
};

typedef unsigned char u8;

typedef unsigned int u32;

struct aligned_64 {
	u8 first;
	u32 second;
	long: 64;
	long: 64;
	long: 64;
	long: 64;
	long: 64;
	long: 64;
	long: 64;
};

typedef unsigned long long u64;

struct aligned_member {
	u8 first;
	long: 64;
	u32 second;
	u8 third;
	long: 64;
	u64 fourth;
	long: 64;
	long: 64;
	long: 64;
};

typedef unsigned short u16;

struct packed {
	u8 first;
	u64 second;
	u16 third;
} __attribute__((packed));

struct packed_bits {
	u8 first;
	u32 second: 5;
	u32 third: 20;
	u64 fourth;
} __attribute__((packed));

struct packed_aligned {
	u8 first;
	u32 second;
	long: 0;
} __attribute__((packed));

struct holds_packed {
	struct packed packed;
	u32 after;
	struct packed_aligned table[3];
};

struct trailing_bits {
	u64 first;
	u32 second: 3;
};

struct holes {
	u32 a: 3;
	int: 29;
	u32 b: 4;
	char: 4;
	char: 5;
	u32 c: 1;
	long: 18;
	u64 d: 33;
	u8 e: 2;
	u16 f;
	long: 64;
	int g: 32;
	_Bool h: 1;
	long i: 7;
	char j;
	u32 k: 1;
};

struct only_padding {
	int: 24;
};

union empty_union {};

struct empty {};

struct has_empty {
	union empty_union nothing;
	struct empty neither;
	int something;
};

struct flexible {
	u32 length;
	u64 data[0];
};

struct zero_length {
	u32 before;
	u8 none[0];
	u16 after[0][4];
	struct {
		int x;
	} nested[0];
};

typedef int matrix[2][3][4];

struct arrays {
	matrix table;
	const char * const names[7];
	int (*pointer)[5];
	int *(*pointers[2])[3];
	volatile const u8 fixed[4];
};

struct ops;

typedef struct ops ops_t;

struct ops {
	int (*open)(struct ops *, const ops_t *, ...);
	void (* (*choose)(int (*)(const struct ops *), char))(void);
	int (* (*table[3])(void))[2];
	struct ops * (*next)(struct ops * (*)(ops_t *));
	void (*nothing)(void);
	union {
		struct ops *parent;
		const struct ops * const *parents;
	};
};

struct left;

struct right {
	struct left *left;
	struct {
		struct left *again;
		struct right *self;
	} *behind;
};

struct left {
	struct right right;
};

struct node_t {
	struct node_t *next;
	struct {
		struct node_t **children;
	} inner;
};

typedef struct node_t node_t;

enum byte_enum {
	BYTE_ONE = 0,
	BYTE_LAST = 255,
} __attribute__((mode(byte)));

enum word_enum {
	WORD_SMALL = 0LL,
} __attribute__((mode(word)));

enum wide_enum {
	WIDE = 18446744073709551615ULL,
	WIDE_ZERO = 0ULL,
};

enum signed_wide_enum {
	SIGNED_WIDE = -9223372036854775807LL,
};

enum unsigned_enum {
	UNSIGNED_MOST = 4294967295,
};

struct has_enums {
	enum {
		INLINE_ONE = 0,
		INLINE_TWO = 1,
	} inline_enum;
	enum byte_enum byte;
	enum word_enum word;
	enum wide_enum wide;
	enum signed_wide_enum negative;
	enum unsigned_enum most;
	enum byte_enum byte_bits: 5;
	enum {
		BITS_ONE = 0,
	} inline_bits: 2;
};

struct interface {
	int class;
	int function;
	int constructor;
	int __proto__;
	int readonly;
	int await;
};

struct string {
	struct interface *new;
	struct interface delete;
};

struct number {
	struct string string;
	u8 bigint[4];
	char null[8];
};

typedef struct {
	struct number any;
	enum {
		never = 0,
		unknown = 5,
	} object;
} symbol;

struct nested {
	struct {
		union {
			struct {
				u32 deep;
				u8 deeper[3];
			};
			u64 flat;
		};
		union {
			int one;
			float two;
		} named;
	};
	struct {
		struct {
			int x;
		} pair[2];
		struct {
			int x;
		} *behind;
		struct {
			int x;
		} (*both)[3];
	} group;
	union {
		struct {
			u16 low;
			u16 high;
		};
		u32 both;
	};
};

typedef _Bool bool_t;

struct scalars {
	bool_t flag;
	char letter;
	signed char delta;
	unsigned char byte;
	short half;
	long word;
	unsigned __int128 huge;
	__int128 negative;
	float real;
	double precise;
	void *pointer;
	const void * volatile const * restrict qualified;
	int __attribute__((btf_type_tag("user"))) *tagged;
	long: 64;
};

struct forward;

union forward_union;

struct has_forward {
	struct forward *one;
	union forward_union **two;
};


/* BPF kfuncs */
#ifndef BPF_NO_KFUNC_PROTOTYPES
#endif

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */

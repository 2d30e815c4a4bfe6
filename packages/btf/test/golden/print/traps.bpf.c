/* Types that printers of C and TypeScript get wrong, with no header. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Bool bool_t;

/* Alignment beyond that of the members, and packing against it. */
struct aligned_64 {
	u8 first;
	u32 second;
} __attribute__((aligned(64)));

struct aligned_member {
	u8 first;
	u32 second __attribute__((aligned(16)));
	u8 third;
	u64 fourth __attribute__((aligned(32)));
};

struct packed {
	u8 first;
	u64 second;
	u16 third;
} __attribute__((packed));

struct packed_bits {
	u8 first;
	u32 second : 5;
	u32 third : 20;
	u64 fourth;
} __attribute__((packed));

struct packed_aligned {
	u8 first;
	u32 second;
} __attribute__((packed, aligned(4)));

struct holds_packed {
	struct packed packed;
	u32 after;
	struct packed_aligned table[3];
};

/* Bitfields: at the end, across a hole, of the full width, after zero width, signed, boolean, of an enum. */
struct trailing_bits {
	u64 first;
	u32 second : 3;
};

struct holes {
	u32 a : 3;
	u32 : 0;
	u32 b : 4;
	u32 : 9;
	u32 c : 1;
	u64 d : 33;
	u8 e : 2;
	u16 f;
	u64 : 60;
	int g : 32;
	_Bool h : 1;
	long i : 7;
	char j;
	u32 k : 1;
};

struct only_padding {
	u64 : 17;
};

/* Nothing at all. */
union empty_union {
};

struct empty {
};

struct has_empty {
	union empty_union nothing;
	struct empty neither;
	int something;
};

/* Arrays without elements, and with many dimensions. */
struct flexible {
	u32 length;
	u64 data[];
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
	const char *const names[7];
	int (*pointer)[5];
	int *(*pointers[2])[3];
	const volatile u8 fixed[4];
};

/* Functions behind pointers, and types that come back to themselves through them. */
typedef struct ops ops_t;
struct ops {
	int (*open)(struct ops *self, const ops_t *other, ...);
	void (*(*choose)(int (*)(const struct ops *), char))(void);
	int (*(*table[3])(void))[2];
	struct ops *(*next)(struct ops *(*)(ops_t *));
	void (*nothing)();
	union {
		struct ops *parent;
		const struct ops *const *parents;
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

typedef struct node_t {
	struct node_t *next;
	struct {
		struct node_t **children;
	} inner;
} node_t;

/* Enums: without a name, without one at the top, of one byte, of 64 bits, signed. */
enum { TOP_ONE = 1, TOP_TWO = 2 };
enum { ANOTHER_TOP = -7 };
enum byte_enum { BYTE_ONE, BYTE_LAST = 255 } __attribute__((packed));
enum word_enum { WORD_SMALL } __attribute__((mode(word)));
enum wide_enum { WIDE = 0xffffffffffffffffULL, WIDE_ZERO = 0 };
enum signed_wide_enum { SIGNED_WIDE = -0x7fffffffffffffffLL };
enum unsigned_enum { UNSIGNED_MOST = 0xffffffff };

struct has_enums {
	enum { INLINE_ONE, INLINE_TWO } inline_enum;
	enum byte_enum byte;
	enum word_enum word;
	enum wide_enum wide;
	enum signed_wide_enum negative;
	enum unsigned_enum most;
	enum byte_enum byte_bits : 5;
	enum { BITS_ONE } inline_bits : 2;
};

/* Names that TypeScript keeps for itself. */
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
	enum { never, unknown = 5 } object;
} symbol;

/* Nesting without names. */
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
		} pair[2], *behind, (*both)[3];
	} group;
	union {
		struct {
			u16 low, high;
		};
		u32 both;
	};
};

/* Ints and floats of all widths. */
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
	const void *const volatile *restrict qualified;
	int __attribute__((btf_type_tag("user"))) *tagged;
};

struct forward;
union forward_union;
struct has_forward {
	struct forward *one;
	union forward_union **two;
};

struct aligned_64 v0;
struct aligned_member v1;
struct packed v2;
struct packed_bits v3;
struct packed_aligned v4;
struct holds_packed v5;
struct trailing_bits v6;
struct holes v7;
struct only_padding v8;
union empty_union v9;
struct empty v10;
struct has_empty v11;
struct flexible v12;
struct zero_length v13;
struct arrays v14;
struct ops v15;
struct right v16;
struct left v17;
node_t v18;
struct has_enums v19;
struct interface v20;
struct string v21;
struct number v22;
symbol v23;
struct nested v24;
struct scalars v25;
struct has_forward v26;
enum byte_enum v27;
int v28 = TOP_ONE;
int v29 = ANOTHER_TOP;

/* Types of one name, and names shared by tags, typedefs and enumerators. */
int first_duplicate(void)
{
	typedef int same_type;
	struct duplicate {
		same_type one;
	};
	enum choice { SAME_NAME, ONE_NAME };
	static volatile struct duplicate mine;
	static volatile enum choice choice;
	return mine.one + choice;
}

long second_duplicate(void)
{
	struct duplicate {
		long two;
		struct duplicate *next;
	};
	enum choice { SAME_NAME = 3, TWO_NAME };
	typedef struct duplicate *same_type;
	static volatile same_type mine;
	static volatile enum choice choice;
	return mine->two + choice;
}

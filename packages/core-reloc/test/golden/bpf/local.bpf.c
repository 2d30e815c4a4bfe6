/*
 * Every CO-RE relocation kind over our own types, one program per question, so that an oracle that stops at the first
 * failure can be asked about each alone. The types that a "kernel" has instead are in target-*.c.
 */
#include "core.h"

enum colour { RED, GREEN = 5, BLUE = -3, MISSING_COLOUR = 9 };
enum colour___flavoured { RED___f, GREEN___f = 1 };
enum wide { WIDE_SMALL = 1, WIDE_BIG = 0x123456789abcdefULL, WIDE_NEGATIVE = -2 };
enum grown { GROWN_A = 7 };
enum shrunk { SHRUNK_A = 0x700000001ULL };
enum absent { ABSENT_A = 1 };
enum unsigned_top { TOP = 0xfffffff0u };

struct inner { int x; int y[3]; } PAI;
union either { int as_int; long as_long; } PAI;
struct flexible { int count; struct inner items[]; } PAI;

struct basic {
	int id;
	unsigned long counter;
	char name[16];
	struct inner in;
	struct inner arr[4];
	void *ptr;
	struct {
		int anon_a;
		union {
			int anon_i;
			long anon_l;
		};
	};
	union either either;
	enum colour colour;
	const volatile u64 modified;
	int matrix[2][3];
	int gone;
	int became_struct;
	struct inner became_ptr;
	int past_end[8];
	float real;
} PAI;

struct basic___alias { unsigned long counter; } PAI;
struct basic___renamed { int new_id; } PAI;
struct two___kinds { int first; } PAI;

struct sizes {
	u8 b;
	u16 h;
	u32 w;
	u64 d;
	s32 sw;
	u32 shrinks;
	u32 to_signed;
	void *p;
	char text[8];
	struct inner s;
	enum colour e;
	u32 odd;
} PAI;

struct bits {
	u32 a : 3;
	u32 b : 7;
	s32 c : 11;
	u64 d : 33;
	u8 e : 2;
	u32 plain;
	u32 was_bits : 9;
	enum colour kind : 4;
	u16 far_off;
} PAI;

struct duplicated { int same; int other; } PAI;
struct pruned { int one; int two; } PAI;
struct unknown_type { int x; } PAI;
struct deep { struct { struct { struct { int bottom; }; }; }; } PAI;
struct far { int field; } PAI;
struct matches { int a; struct inner *p; int (*fn)(int, long); } PAI;
struct mismatches { int a; long b; } PAI;
struct ref_a { struct ref_a *self; enum colour c; } PAI;

typedef struct { int v; } anon_t;
typedef int number_t;
typedef struct inner inner_t;
typedef int (*callback_t)(struct inner *, long);
typedef int proto_t(struct inner *, long);
typedef int array_t[5];
typedef void *pointer_t;
typedef struct inner *inner_ptr_t;
typedef enum colour colour_t;
struct fwd;
typedef struct fwd *fwd_ptr_t;

#define PROG(name, body) SEC("socket") u64 name(void *ctx) { body }
#define VALUE(name, expression) PROG(name, return (u64)(expression);)
/* rX = imm; rX += imm, as BPF_CORE_READ makes them */
#define OFFSET(name, type, member) VALUE(name, __builtin_preserve_access_index(&((type *)ctx)->member))
#define LOAD(name, type, member) PROG(name, return (u64)((type *)ctx)->member;)
#define STORE(name, type, member) PROG(name, ((type *)ctx)->member = 7; return 0;)

LOAD(load_id, struct basic, id)
LOAD(load_counter, struct basic, counter)
LOAD(load_name_3, struct basic, name[3])
LOAD(load_in_x, struct basic, in.x)
LOAD(load_in_y_2, struct basic, in.y[2])
LOAD(load_arr_2_y_1, struct basic, arr[2].y[1])
LOAD(load_ptr, struct basic, ptr)
LOAD(load_anon_a, struct basic, anon_a)
LOAD(load_anon_i, struct basic, anon_i)
LOAD(load_anon_l, struct basic, anon_l)
LOAD(load_either_long, struct basic, either.as_long)
LOAD(load_colour, struct basic, colour)
LOAD(load_modified, struct basic, modified)
LOAD(load_matrix, struct basic, matrix[1][2])
LOAD(load_gone, struct basic, gone)
LOAD(load_became_struct, struct basic, became_struct)
LOAD(load_became_ptr, struct basic, became_ptr.x)
LOAD(load_past_end, struct basic, past_end[6])
LOAD(load_alias, struct basic___alias, counter)
LOAD(load_renamed, struct basic___renamed, new_id)
LOAD(load_two_kinds, struct two___kinds, first)
LOAD(load_flexible, struct flexible, items[9].y[1])
LOAD(load_unknown, struct unknown_type, x)
LOAD(load_deep, struct deep, bottom)
LOAD(load_far, struct far, field)
LOAD(load_duplicated_same, struct duplicated, same)
LOAD(load_duplicated_other, struct duplicated, other)
STORE(store_id, struct basic, id)
STORE(store_counter, struct basic, counter)
STORE(store_gone, struct basic, gone)
OFFSET(offset_id, struct basic, id)
OFFSET(offset_arr, struct basic, arr[3].y[2])
OFFSET(offset_name, struct basic, name)
OFFSET(offset_gone, struct basic, gone)
OFFSET(offset_far, struct far, field)
OFFSET(offset_sizes_text, struct sizes, text)

LOAD(size_b, struct sizes, b)
LOAD(size_h, struct sizes, h)
LOAD(size_w, struct sizes, w)
LOAD(size_d, struct sizes, d)
LOAD(size_sw, struct sizes, sw)
LOAD(size_shrinks, struct sizes, shrinks)
LOAD(size_to_signed, struct sizes, to_signed)
LOAD(size_p, struct sizes, p)
LOAD(size_e, struct sizes, e)
LOAD(size_odd, struct sizes, odd)
LOAD(size_text_0, struct sizes, text[1])
STORE(size_store_w, struct sizes, w)

VALUE(sz_w, FIELD(AT(struct sizes)->w, BYTE_SZ))
VALUE(sz_text, FIELD(AT(struct sizes)->text, BYTE_SZ))
VALUE(sz_text_element, FIELD(AT(struct sizes)->text[2], BYTE_SZ))
VALUE(sz_s, FIELD(AT(struct sizes)->s, BYTE_SZ))
VALUE(sz_gone, FIELD(AT(struct basic)->gone, BYTE_SZ))
VALUE(exists_id, FIELD(AT(struct basic)->id, FIELD_EXISTS))
VALUE(exists_gone, FIELD(AT(struct basic)->gone, FIELD_EXISTS))
VALUE(exists_became_struct, FIELD(AT(struct basic)->became_struct, FIELD_EXISTS))
VALUE(exists_past_end, FIELD(AT(struct basic)->past_end[7], FIELD_EXISTS))
VALUE(exists_unknown, FIELD(AT(struct unknown_type)->x, FIELD_EXISTS))
VALUE(exists_real, FIELD(AT(struct basic)->real, FIELD_EXISTS))
VALUE(signed_id, FIELD(AT(struct basic)->id, SIGNED))
VALUE(signed_counter, FIELD(AT(struct basic)->counter, SIGNED))
VALUE(signed_colour, FIELD(AT(struct basic)->colour, SIGNED))
VALUE(signed_to_signed, FIELD(AT(struct sizes)->to_signed, SIGNED))
VALUE(signed_gone, FIELD(AT(struct basic)->gone, SIGNED))
VALUE(lshift_id, FIELD(AT(struct basic)->id, LSHIFT_U64))
VALUE(rshift_id, FIELD(AT(struct basic)->id, RSHIFT_U64))
VALUE(lshift_text, FIELD(AT(struct sizes)->text, LSHIFT_U64))
VALUE(rshift_text, FIELD(AT(struct sizes)->text, RSHIFT_U64))
VALUE(lshift_gone, FIELD(AT(struct basic)->gone, LSHIFT_U64))

#define BITS(member)                                              \
	VALUE(bits_off_##member, FIELD(AT(struct bits)->member, BYTE_OFF))   \
	VALUE(bits_sz_##member, FIELD(AT(struct bits)->member, BYTE_SZ))     \
	VALUE(bits_exists_##member, FIELD(AT(struct bits)->member, FIELD_EXISTS)) \
	VALUE(bits_signed_##member, FIELD(AT(struct bits)->member, SIGNED))  \
	VALUE(bits_lshift_##member, FIELD(AT(struct bits)->member, LSHIFT_U64)) \
	VALUE(bits_rshift_##member, FIELD(AT(struct bits)->member, RSHIFT_U64))
BITS(a)
BITS(b)
BITS(c)
BITS(d)
BITS(e)
BITS(plain)
BITS(was_bits)
BITS(kind)
LOAD(bits_load_plain, struct bits, plain)

VALUE(local_id_inner, LOCAL_ID(struct inner))
VALUE(local_id_number, LOCAL_ID(number_t))
VALUE(local_id_anon, LOCAL_ID(anon_t))
VALUE(target_id_inner, TARGET_ID(struct inner))
VALUE(target_id_unknown, TARGET_ID(struct unknown_type))
VALUE(target_id_duplicated, TARGET_ID(struct duplicated))
#define TYPE(name, type)                        \
	VALUE(type_exists_##name, TYPE_EXISTS(type))   \
	VALUE(type_size_##name, TYPE_SIZE(type))       \
	VALUE(type_matches_##name, TYPE_MATCHES(type))
TYPE(basic, struct basic)
TYPE(inner, struct inner)
TYPE(either, union either)
TYPE(unknown, struct unknown_type)
TYPE(duplicated, struct duplicated)
TYPE(matches, struct matches)
TYPE(mismatches, struct mismatches)
TYPE(ref_a, struct ref_a)
TYPE(colour, enum colour)
TYPE(colour_flavoured, enum colour___flavoured)
TYPE(wide, enum wide)
TYPE(grown, enum grown)
TYPE(absent, enum absent)
TYPE(anon, anon_t)
TYPE(number, number_t)
TYPE(inner_typedef, inner_t)
TYPE(callback, callback_t)
TYPE(array, array_t)
TYPE(pointer, pointer_t)
TYPE(inner_ptr, inner_ptr_t)
TYPE(colour_typedef, colour_t)
TYPE(fwd_ptr, fwd_ptr_t)
VALUE(type_exists_proto, TYPE_EXISTS(proto_t))
VALUE(type_matches_proto, TYPE_MATCHES(proto_t))

#define ENUMVAL(name, type, value)                        \
	VALUE(enumval_exists_##name, ENUMVAL_EXISTS(type, value)) \
	VALUE(enumval_value_##name, ENUMVAL_VALUE(type, value))
ENUMVAL(red, enum colour, RED)
ENUMVAL(green, enum colour, GREEN)
ENUMVAL(blue, enum colour, BLUE)
ENUMVAL(missing, enum colour, MISSING_COLOUR)
ENUMVAL(red_flavoured, enum colour___flavoured, RED___f)
ENUMVAL(green_flavoured, enum colour___flavoured, GREEN___f)
ENUMVAL(wide_small, enum wide, WIDE_SMALL)
ENUMVAL(wide_big, enum wide, WIDE_BIG)
ENUMVAL(wide_negative, enum wide, WIDE_NEGATIVE)
ENUMVAL(grown, enum grown, GROWN_A)
ENUMVAL(shrunk, enum shrunk, SHRUNK_A)
ENUMVAL(absent, enum absent, ABSENT_A)
ENUMVAL(top, enum unsigned_top, TOP)
ENUMVAL(typedefed, colour_t, GREEN)

/* Several relocations of one local type in one program: candidates that an earlier one has ruled out stay out. */
PROG(pruned_forward, struct pruned *p = ctx; return p->one + p->two;)
PROG(pruned_single, struct pruned *p = ctx; return p->two;)

NOINLINE int in_subprogram(struct basic *p) { return p->id + p->arr[1].x; }
PROG(calls_subprogram, return in_subprogram(ctx);)

char _license[] SEC("license") = "GPL";

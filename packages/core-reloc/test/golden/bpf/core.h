/* CO-RE builtins of clang under the names of their relocation kinds; no header of libbpf is needed. */
#define SEC(name) __attribute__((section(name), used))
#define PAI __attribute__((preserve_access_index))
#define NOINLINE static __attribute__((noinline))

/* offset = byte_off is what a plain read of a PAI struct records */
#define FIELD(expr, kind) __builtin_preserve_field_info(expr, kind)
#define BYTE_OFF 0
#define BYTE_SZ 1
#define FIELD_EXISTS 2
#define SIGNED 3
#define LSHIFT_U64 4
#define RSHIFT_U64 5
#define AT(type) ((type *)0)
#define LOCAL_ID(type) __builtin_btf_type_id(*(type *)0, 0)
#define TARGET_ID(type) __builtin_btf_type_id(*(type *)0, 1)
#define TYPE_EXISTS(type) __builtin_preserve_type_info(*(type *)0, 0)
#define TYPE_SIZE(type) __builtin_preserve_type_info(*(type *)0, 1)
#define TYPE_MATCHES(type) __builtin_preserve_type_info(*(type *)0, 2)
#define ENUMVAL_EXISTS(type, value) __builtin_preserve_enum_value(*(type *)value, 0)
#define ENUMVAL_VALUE(type, value) __builtin_preserve_enum_value(*(type *)value, 1)

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

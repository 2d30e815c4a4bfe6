/* Every kind of BTF that a compiler writes, with no header but this. */
#define SEC(name) __attribute__((section(name), used))
#define PIN __attribute__((preserve_access_index))
#define TAG(text) __attribute__((btf_decl_tag(text)))
#define TYPE_TAG(text) __attribute__((btf_type_tag(text)))

typedef unsigned char u8;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned __int128 u128;

struct forward;
union forward_union;

enum small { ZERO, ONE, TWO = 2, LAST = 0x7fffffff };
enum negative { MINUS = -1, PLUS = 1 };
enum wide { FAR = 0x123456789abcdef0ULL, NEAR = 1 };
enum wide_negative { DEEP = -0x123456789abcdefLL, SHALLOW = 1 };
enum packed_one { P0, P1 = 200 } __attribute__((packed));

struct bits {
	u32 a : 1;
	u32 b : 7;
	int c : 24;
	u32 : 5;
	unsigned long long d : 40;
	_Bool e : 1;
	enum small f : 4;
};

struct inner {
	char text[12];
	short values[2][3];
};

union mixed {
	u32 word;
	float real;
	u8 bytes[8];
	struct {
		unsigned short low, high;
	};
};

struct outer {
	struct outer *next;
	const volatile u32 *restrict const cursor;
	struct inner inner;
	union mixed mixed;
	struct bits bits;
	union {
		int number;
		void *pointer;
	};
	enum negative sign;
	enum wide wide;
	enum wide_negative deep;
	enum packed_one one;
	double precise;
	u128 huge;
	_Bool flag;
	signed char delta;
	char letter;
	s64 (*compare)(struct forward *, const char *format, ...);
	int TYPE_TAG("user") * user;
	struct {
	} nothing;
	u8 rest[];
} TAG("a struct");

typedef int (*callback_t)(struct outer *, union forward_union *, void *);
typedef callback_t callbacks_t[3];

struct packed {
	u8 first;
	u32 second TAG("a member");
	u8 third;
} __attribute__((packed));

struct outer outer_value;
struct packed packed_value = {1, 2, 3};
const volatile u32 limit = 5;
static volatile u32 counter;
__attribute__((visibility("hidden"))) int hidden = 6;
callbacks_t callbacks;
extern int tunable __attribute__((section(".kconfig")));
extern int kernel_function(struct outer *value TAG("a parameter")) SEC(".ksyms");

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
} PIN;

struct sk_buff___flavour {
	u32 len;
	u32 gone;
} PIN;

__attribute__((noinline)) static int helper(const struct outer *value)
{
	return value->sign + (int)counter++;
}

SEC("raw_tp/first") int first(struct task_struct *task)
{
	return task->group_leader->tgid + helper(&outer_value) + hidden + (int)limit;
}

SEC("raw_tp/second") int second(struct sk_buff___flavour *skb)
{
	u32 len = skb->len;

	if (__builtin_preserve_field_info(skb->gone, 2))
		len += skb->gone;
	if (__builtin_preserve_type_info(*(struct task_struct *)0, 0))
		len += (u32)packed_value.second;
	return len + kernel_function(&outer_value) + tunable;
}

char LICENSE[] SEC("license") = "GPL";

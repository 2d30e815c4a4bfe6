/* One of each thing that older kernels do not know. */
#define SEC(name) __attribute__((section(name), used))
#define TAG(text) __attribute__((btf_decl_tag(text)))
#define TYPE_TAG(text) __attribute__((btf_type_tag(text)))

enum wide { FAR = 0x123456789abcdef0ULL, NEAR = 1 };
enum deep { DEEP = -0x123456789abcdefLL };
enum sign { MINUS = -1, PLUS = 1 };

struct tagged {
	int TYPE_TAG("user") *pointer;
	enum wide wide;
	enum deep deep;
	enum sign sign;
	double real;
	int here TAG("member");
} TAG("struct");

struct tagged tagged;
int counter SEC(".data.counters") = 1;
const volatile float scale = 1;
/* Only libbpf knows what a question mark before a section means; nothing may refer to this. */
int optional SEC("?.data.optional") = 2;

int __attribute__((noinline)) add(int a TAG("parameter"), int b) { return a + b + counter; }
static int __attribute__((noinline)) subtract(int a, int b) { return a - b; }

SEC("socket")
int main_program(void *context)
{
	return add((int)tagged.wide, (int)tagged.here) + subtract((int)(long)context, (int)(long)&scale);
}

char license_text[] SEC("license") = "GPL";

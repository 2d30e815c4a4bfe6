// Loads each program of standard input (hexadecimal bytes, one program in a line) as a socket filter and prints what
// the verifier logs about it at level 2, after a line with its number. Used by record-verifier.mjs only.
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char line[1 << 16];
static char log_text[1 << 20];
static unsigned char code[1 << 15];

int main(void)
{
	for (int number = 0; fgets(line, sizeof(line), stdin); number++) {
		size_t size = 0;
		unsigned int byte;

		for (char *at = line; sscanf(at, "%2x", &byte) == 1; at += 2)
			code[size++] = byte;

		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		memset(log_text, 0, sizeof(log_text));
		attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
		attr.insns = (unsigned long)code;
		attr.insn_cnt = size / 8;
		attr.license = (unsigned long)"GPL";
		attr.log_level = 2;
		attr.log_buf = (unsigned long)log_text;
		attr.log_size = sizeof(log_text);

		int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

		if (fd >= 0)
			close(fd);
		printf("== %d\n%s", number, log_text);
	}
	return 0;
}

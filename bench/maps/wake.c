// From a record's submit to the reader, with a bare epoll loop: bench/maps/wake.mjs builds it and starts it with the ring
// as descriptor 3. wake RING_BYTES COUNT: prints the nanoseconds from the time in each of COUNT records to when it is seen.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	long page = sysconf(_SC_PAGESIZE), size = atol(argv[1]), count = atol(argv[2]);
	unsigned long *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
	unsigned long *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, 3, page);
	int epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };

	if (consumer == MAP_FAILED || producer == MAP_FAILED || epoll_ctl(epoll, EPOLL_CTL_ADD, 3, &event))
		return 1;
	char *data = (char *)producer + page;
	unsigned long at = *consumer;

	puts("ready");
	fflush(stdout);
	for (long seen = 0; seen < count;) {
		epoll_wait(epoll, &event, 1, -1);
		while (at < __atomic_load_n(producer, __ATOMIC_ACQUIRE)) {
			char *record = data + (at & (size - 1));
			uint32_t length = __atomic_load_n((uint32_t *)record, __ATOMIC_ACQUIRE);
			struct timespec now;

			if (length >> 31)
				break;
			clock_gettime(CLOCK_MONOTONIC, &now);
			printf("%ld\n", now.tv_sec * 1000000000L + now.tv_nsec - *(long *)(record + 8));
			at += (length + 15) & ~7u;
			__atomic_store_n(consumer, at, __ATOMIC_SEQ_CST);
			seen++;
		}
	}
	return 0;
}

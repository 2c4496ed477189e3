/*
 * vfio-edge - the edges of a fault handler: what a lock check does not see. On a kernel as it is every mode is harmless; on a
 * handler that breaks its contract, futex and race may kill the kernel.
 *
 *   vfio-edge MODE --device BDF --bar N [--size BYTES] [--count N] [--threads N] [--json]
 *
 *   futex    FUTEX_WAKE_OP on a page of the BAR that was never touched: the kernel faults it in for a caller that does not let
 *            the handler drop mmap_lock
 *   race     one thread maps the BAR and anonymous memory at the same address in turn (MAP_FIXED), others read from it: a VMA
 *            may die under a handler that lets go of the lock
 *   split    map the BAR, read it, unmap its middle page, read both halves again
 *   kill     SIGKILL for a process whose threads fault the BAR in while others hold mmap_lock for write
 *
 * and with the module faultline-device loaded, whose BAR is memory of the kernel (64 KiB), without --device and --bar:
 *
 *   device-remap    its fault handler calls remap_pfn_range of the whole mapping
 *   device-insert   its fault handler calls vmf_insert_pfn of one page
 *   device-map      it has no fault handler; its mmap calls remap_pfn_range
 *
 * Prints one JSON object with "isDone": true: repetitions, mappings made (faults follow from them), futexes that were done,
 * reads, SIGBUS that reads were answered with, processes killed. Exit status: 0 done, 1 it failed (the line says what), 2 wrong words.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vfio-device.h"

enum { THREADS_MAX = 64, DEVICE_BYTES = 64 << 10, KILL_AFTER_MAX_US = 20000 };

static const char *mode;
static int threads = 2, is_over;
static uint64_t count = 1;
static struct { uint64_t maps, futexes, reads, bus_errors, killed; } done;
static volatile uint32_t sink;
static __thread sigjmp_buf after_fault;
static __thread volatile sig_atomic_t is_reading;

static void on_bus_error(int number)
{
	if (is_reading)
		siglongjmp(after_fault, 1);
	signal(number, SIG_DFL);
	raise(number);
}

/* Reads once; a SIGBUS is counted and survived. */
static void read_at(const char *at)
{
	is_reading = 1;
	if (sigsetjmp(after_fault, 1) == 0) {
		sink += *(const volatile uint32_t *)at;
		__atomic_add_fetch(&done.reads, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_add_fetch(&done.bus_errors, 1, __ATOMIC_RELAXED);
	}
	is_reading = 0;
}

static char *map_bar_at(void *wanted)
{
	char *at = mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_SHARED | (wanted ? MAP_FIXED : 0), device, (off_t)region_offset);

	if (at == MAP_FAILED)
		fail("mmap of BAR %d", bar);
	__atomic_add_fetch(&done.maps, 1, __ATOMIC_RELAXED);
	return at;
}

static void futex_once(void)
{
	uint32_t ordinary = 0;
	char *at = map_bar_at(NULL);

	/* Wakes nobody at either address, and on the way or-s nothing into the word in the BAR. */
	if (syscall(SYS_futex, &ordinary, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, at,
		    FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0)) < 0)
		fail("FUTEX_WAKE_OP on the BAR");
	done.futexes++;
	munmap(at, size);
}

static void *reader_of(void *at)
{
	for (uint64_t page = 0; !__atomic_load_n(&is_over, __ATOMIC_RELAXED); page = (page + 1) % (size / PAGE))
		read_at((const char *)at + page * PAGE);
	return NULL;
}

static void race(void)
{
	pthread_t all[THREADS_MAX];
	char *at = map_bar_at(NULL);

	for (int one = 0; one < threads; one++)
		if (pthread_create(&all[one], NULL, reader_of, at))
			fail("no more threads");
	for (uint64_t left = count; left; left--) {
		if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			fail("mmap of anonymous memory over the BAR");
		map_bar_at(at);
		read_at(at);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	for (int one = 0; one < threads; one++)
		pthread_join(all[one], NULL);
	munmap(at, size);
}

static void split_once(void)
{
	uint64_t middle = size / PAGE / 2 * PAGE;
	char *at = map_bar_at(NULL);

	read_at(at);
	if (munmap(at + middle, PAGE))
		fail("munmap of the middle page");
	read_at(at);
	read_at(at + middle + PAGE);
	munmap(at, middle);
	munmap(at + middle + PAGE, size - middle - PAGE);
}

static void *faulting(void *unused)
{
	for (;;) {
		char *at = map_bar_at(NULL);

		read_at(at);
		munmap(at, size);
	}
	return unused;
}

static void kill_once(void)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
		pthread_t thread;

		for (int one = 1; one < threads; one++)
			pthread_create(&thread, NULL, faulting, NULL);
		faulting(NULL);
	}
	usleep(1000 + (useconds_t)(rand() % KILL_AFTER_MAX_US));
	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail("the process to be killed ended with status 0x%x", status);
	done.killed++;
}

/* The project's own device, by the name of one of its three. */
static void device_once(const char *name)
{
	char path[64], *at;
	int fd;

	snprintf(path, sizeof path, "/dev/faultline-%s", name);
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		fail("%s (is the module faultline-device loaded?)", path);
	at = mmap(NULL, DEVICE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		fail("mmap of %s", path);
	done.maps++;
	for (int page = 0; page < DEVICE_BYTES / PAGE; page++)
		read_at(at + page * PAGE);
	munmap(at, DEVICE_BYTES);
	close(fd);
}

static int usage(const char *what)
{
	fprintf(stderr, "vfio-edge: %s\nusage: vfio-edge MODE --device BDF --bar N [--size BYTES] [--count N] [--threads N]\n"
			"modes: futex race split kill device-remap device-insert device-map\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", 1, NULL, 'd' }, { "bar", 1, NULL, 'b' }, { "size", 1, NULL, 's' }, { "count", 1, NULL, 'n' },
		{ "threads", 1, NULL, 't' }, { "json", 0, NULL, 'j' }, { NULL, 0, NULL, 0 }
	};
	struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };
	int option, is_device;
	uint64_t began;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd': bdf = optarg; break;
		case 'b': bar = atoi(optarg); break;
		case 's': size = strtoull(optarg, NULL, 0) / PAGE * PAGE; break;
		case 'n': count = strtoull(optarg, NULL, 0); break;
		case 't': threads = atoi(optarg); break;
		case 'j': break;
		default: return usage("unknown option");
		}
	}
	if (optind + 1 != argc)
		return usage("one mode, please");
	mode = argv[optind];
	is_device = !strncmp(mode, "device-", 7);
	if (!is_device && strcmp(mode, "futex") && strcmp(mode, "race") && strcmp(mode, "split") && strcmp(mode, "kill"))
		return usage("unknown mode");
	if (!is_device && (!bdf || bar < 0 || bar > 5))
		return usage("--device and --bar (0 to 5) are needed");
	if (!count || threads < 1 || threads > THREADS_MAX)
		return usage("--count from 1, --threads from 1 to 64");
	sigaction(SIGBUS, &action, NULL);
	if (!is_device) {
		open_device();
		if (size < 4 * PAGE)
			return usage("--size of four pages at least");
	}
	began = clock_ns();
	if (!strcmp(mode, "race"))
		race();
	else
		for (uint64_t left = count; left; left--) {
			if (is_device)
				device_once(mode + 7);
			else if (!strcmp(mode, "futex"))
				futex_once();
			else if (!strcmp(mode, "split"))
				split_once();
			else
				kill_once();
		}
	printf("{\"mode\": \"%s\", \"isDone\": true, \"repetitions\": %lu, \"maps\": %lu, \"futexes\": %lu, \"reads\": %lu, "
	       "\"busErrors\": %lu, \"killed\": %lu, \"elapsedNs\": %lu}\n",
	       mode, count, done.maps, done.futexes, done.reads, done.bus_errors, done.killed, clock_ns() - began);
	return 0;
}

/*
 * vfio-load - makes vfio-pci fault a BAR in, in a known way, and says what it did.
 *
 *   vfio-load MODE --device BDF --bar N [--size BYTES] [--misaligned] [--count N] [--threads N] [--json]
 *
 *   touch               map the BAR, read every page once, unmap
 *   dma-map             map the BAR, VFIO_IOMMU_MAP_DMA of it untouched, unmap both
 *   dma-map-prefaulted  map the BAR, read every page, then VFIO_IOMMU_MAP_DMA
 *   zap                 map, read every page, switch memory decoding off and on, read every page again
 *   reset               map, read every page, reset the device, read every page again
 *   sysfs               map the BAR's resource file: the kernel remaps it at mmap time, not in a fault
 *   devmem              the same through /dev/mem
 *   contention          threads that map the BAR, read four pages of it and unmap, beside as many that touch anonymous memory
 *
 * Aligned (the default), the BAR is mapped where huge faults can happen: the address is a multiple of 1 GiB, or of 2 MiB
 * where the BAR is smaller. --misaligned maps it 4 KiB behind a multiple of 2 MiB, where only faults of 4 KiB can.
 *
 * Prints one JSON object a repetition and a last one with "isDone": true and the sums. `populations` counts how often an
 * empty mapping of the whole BAR was filled, by reading every page or by MAP_DMA: from it and `pages` follows how many
 * faults there must have been. Exit status: 0 done, 1 it failed (the last line says what), 2 wrong words.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "vfio-device.h"

enum { THREADS_MAX = 64, ANON_BYTES = 4 << 20 };
#define HUGE_2M (2ull << 20)
#define HUGE_1G (1ull << 30)
#define IOVA 0x100000000ull

/* What was done: in one repetition, or altogether. */
struct sums { uint64_t bar_maps, populations, pages_touched, dma_maps, zaps, resets, file_maps, anon_pages, ns; };

static const char *mode;
static int threads = 2, is_misaligned;
static uint64_t count = 1;
static struct sums now;
static volatile uint32_t sink;

/* Maps the BAR where it was asked for; address space around it is given back. */
static char *map_bar(void)
{
	uint64_t align = size >= HUGE_1G ? HUGE_1G : size >= HUGE_2M ? HUGE_2M : PAGE;
	uint64_t room = size + 2 * align + HUGE_2M;
	char *start = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at;

	if (start == MAP_FAILED)
		fail("no address space for a BAR of %llu bytes", (unsigned long long)size);
	at = (char *)(((uintptr_t)start + align - 1) & ~(align - 1));
	if (is_misaligned)
		at += PAGE;
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, device, (off_t)region_offset) == MAP_FAILED)
		fail("mmap of BAR %d", bar);
	if (at > start)
		munmap(start, (size_t)(at - start));
	if (start + room > at + size)
		munmap(at + size, (size_t)(start + room - (at + size)));
	__atomic_add_fetch(&now.bar_maps, 1, __ATOMIC_RELAXED);
	return at;
}

static void touch(char *at)
{
	for (uint64_t offset = 0; offset < size; offset += PAGE)
		sink += *(volatile uint32_t *)(at + offset);
	now.pages_touched += size / PAGE;
}

static void dma_map(char *at)
{
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof map, .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
						.vaddr = (uintptr_t)at, .iova = IOVA, .size = size };
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof unmap, .iova = IOVA, .size = size };

	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
		fail("VFIO_IOMMU_MAP_DMA of BAR %d", bar);
	now.dma_maps++;
	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		fail("VFIO_IOMMU_UNMAP_DMA");
}

static void do_vfio(void)
{
	char *at = map_bar();

	if (!strcmp(mode, "dma-map")) {
		dma_map(at);
		now.populations++;
		munmap(at, size);
		return;
	}
	touch(at);
	now.populations++;
	if (!strcmp(mode, "dma-map-prefaulted"))
		dma_map(at);
	if (!strcmp(mode, "zap")) {
		command_register(0, 2);
		command_register(2, 0);
		now.zaps++;
	}
	if (!strcmp(mode, "reset")) {
		if (ioctl(device, VFIO_DEVICE_RESET))
			fail("VFIO_DEVICE_RESET of %s", bdf);
		command_register(2 | 4, 0);
		now.resets++;
	}
	if (now.zaps || now.resets) {
		touch(at);
		now.populations++;
	}
	munmap(at, size);
}

/*
 * Says why a mapping of the BAR past vfio was refused. With IO_STRICT_DEVMEM the kernel lets nobody map a region that a driver has
 * claimed (iomem_is_exclusive: EINVAL from sysfs, EPERM from /dev/mem), and vfio-pci claims a BAR from its first mmap until
 * the device is closed (vfio_pci_core_mmap, pci_request_selected_regions).
 */
static void fail_file(const char *path, uint64_t start)
{
	int number = errno;
	char line[256], owner[128] = "";
	uint64_t from, to;
	FILE *list = fopen("/proc/iomem", "re");

	while (list && fgets(line, sizeof line, list))
		if (sscanf(line, " %lx-%lx : %127[^\n]", &from, &to, owner) == 3 && from == start && !strncmp(owner, "vfio", 4))
			break;
	errno = number;
	if (!strncmp(owner, "vfio", 4))
		fail("mmap of %s: BAR %d is claimed by %s while a process has it mapped through vfio, and this kernel "
		     "(IO_STRICT_DEVMEM) lets nobody else map it then; wait until that process has ended", path, bar, owner);
	fail("mmap of %s", path);
}

/* The BAR through sysfs or /dev/mem; the device is not open then. */
static void do_file(void)
{
	char path[256];
	uint64_t start = 0, end = 0, flags;
	off_t offset = 0;
	FILE *list;
	char *at;
	int fd;

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource", bdf);
	if (!(list = fopen(path, "re")))
		fail("%s", path);
	for (int line = 0; line <= bar; line++)
		if (fscanf(list, "%lx %lx %lx", &start, &end, &flags) != 3)
			fail("%s has no line %d", path, bar);
	fclose(list);
	if (!size || size > end - start + 1)
		size = end - start + 1;
	if (!strcmp(mode, "devmem")) {
		snprintf(path, sizeof path, "/dev/mem");
		offset = (off_t)start;
	} else {
		snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource%d", bdf, bar);
	}
	if ((fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC)) < 0)
		fail("%s", path);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (at == MAP_FAILED)
		fail_file(path, start);
	now.file_maps++;
	touch(at);
	munmap(at, size);
	close(fd);
}

static void *bar_thread(void *unused)
{
	prctl(PR_SET_NAME, "vfio-load-bar");
	for (uint64_t left = count; left; left--) {
		char *at = map_bar();

		for (int quarter = 0; quarter < 4; quarter++)
			sink += *(volatile uint32_t *)(at + size / 4 * (uint64_t)quarter);
		__atomic_add_fetch(&now.pages_touched, 4, __ATOMIC_RELAXED);
		munmap(at, size);
	}
	return unused;
}

static void *anon_thread(void *unused)
{
	prctl(PR_SET_NAME, "vfio-load-anon");
	for (uint64_t left = count; left; left--) {
		char *at = mmap(NULL, ANON_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			fail("mmap of anonymous memory");
		madvise(at, ANON_BYTES, MADV_NOHUGEPAGE);
		for (int offset = 0; offset < ANON_BYTES; offset += PAGE)
			at[offset] = 1;
		__atomic_add_fetch(&now.anon_pages, ANON_BYTES / PAGE, __ATOMIC_RELAXED);
		munmap(at, ANON_BYTES);
	}
	return unused;
}

static void do_contention(void)
{
	pthread_t all[2 * THREADS_MAX];

	for (int at = 0; at < threads; at++)
		if (pthread_create(&all[2 * at], NULL, bar_thread, NULL) || pthread_create(&all[2 * at + 1], NULL, anon_thread, NULL))
			fail("no more threads");
	for (int at = 0; at < 2 * threads; at++)
		pthread_join(all[at], NULL);
}

static void print(const struct sums *sums, uint64_t repetition, int is_done)
{
	printf("{\"mode\": \"%s\", \"isDone\": %s, \"repetition\": %lu, \"bytes\": %lu, \"pages\": %lu, \"isAligned\": %s, "
	       "\"barMaps\": %lu, \"populations\": %lu, \"pagesTouched\": %lu, \"dmaMaps\": %lu, \"zaps\": %lu, \"resets\": %lu, "
	       "\"fileMaps\": %lu, \"anonPages\": %lu, \"elapsedNs\": %lu}\n",
	       mode, is_done ? "true" : "false", repetition, size, size / PAGE, is_misaligned ? "false" : "true",
	       sums->bar_maps, sums->populations, sums->pages_touched, sums->dma_maps, sums->zaps, sums->resets,
	       sums->file_maps, sums->anon_pages, sums->ns);
	fflush(stdout);
}

static void add(struct sums *total, const struct sums *one)
{
	total->bar_maps += one->bar_maps;
	total->populations += one->populations;
	total->pages_touched += one->pages_touched;
	total->dma_maps += one->dma_maps;
	total->zaps += one->zaps;
	total->resets += one->resets;
	total->file_maps += one->file_maps;
	total->anon_pages += one->anon_pages;
	total->ns += one->ns;
}

static int usage(const char *what)
{
	fprintf(stderr, "vfio-load: %s\nusage: vfio-load MODE --device BDF --bar N [--size BYTES] [--misaligned] [--count N] "
			"[--threads N]\nmodes: touch dma-map dma-map-prefaulted zap reset sysfs devmem contention\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", 1, NULL, 'd' }, { "bar", 1, NULL, 'b' }, { "size", 1, NULL, 's' }, { "misaligned", 0, NULL, 'm' },
		{ "count", 1, NULL, 'n' }, { "threads", 1, NULL, 't' }, { "json", 0, NULL, 'j' }, { NULL, 0, NULL, 0 }
	};
	static const char *const modes[] = { "touch", "dma-map", "dma-map-prefaulted", "zap", "reset", "sysfs", "devmem", "contention" };
	struct sums total = { 0 };
	int option, is_known = 0, is_contention;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd': bdf = optarg; break;
		case 'b': bar = atoi(optarg); break;
		case 's': size = strtoull(optarg, NULL, 0); break;
		case 'm': is_misaligned = 1; break;
		case 'n': count = strtoull(optarg, NULL, 0); break;
		case 't': threads = atoi(optarg); break;
		case 'j': break;
		default: return usage("unknown option");
		}
	}
	if (optind + 1 != argc)
		return usage("one mode, please");
	mode = argv[optind];
	for (size_t at = 0; at < sizeof modes / sizeof *modes; at++)
		is_known |= !strcmp(modes[at], mode);
	if (!is_known)
		return usage("unknown mode");
	if (!bdf || bar < 0 || bar > 5 || !count || threads < 1 || threads > THREADS_MAX)
		return usage("--device and --bar (0 to 5) are needed, --count from 1, --threads from 1 to 64");
	is_contention = !strcmp(mode, "contention");
	if (strcmp(mode, "sysfs") && strcmp(mode, "devmem"))
		open_device();
	for (uint64_t repetition = 1; repetition <= (is_contention ? 1 : count); repetition++) {
		uint64_t began = clock_ns();

		memset(&now, 0, sizeof now);
		if (is_contention)
			do_contention();
		else if (device < 0)
			do_file();
		else
			do_vfio();
		now.ns = clock_ns() - began;
		print(&now, repetition, 0);
		add(&total, &now);
	}
	print(&total, count, 1);
	return 0;
}

/*
 * vfio-device.h - one device bound to vfio-pci, opened by a workload: what is asked for, what comes of it, and how it ends when
 * something is refused.
 */
#ifndef VFIO_DEVICE_H
#define VFIO_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* Which device and BAR, and how much of it (0: all); then its file descriptors, and where the BAR and config space begin. */
static const char *bdf;
static int bar = -1;
static uint64_t size;
static int container = -1, device = -1;
static uint64_t region_offset, config_offset;

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what, ...)
{
	int number = errno;
	va_list words;

	printf("%s: ", program_invocation_short_name);
	va_start(words, what);
	vprintf(what, words);
	va_end(words);
	printf(": %s (errno %d)\n", strerror(number), number);
	fflush(stdout);
	_exit(1);
}

/* Sets and clears bits of the device's command register: 2 is memory decoding, 4 bus mastering. */
static void command_register(uint16_t set, uint16_t clear)
{
	uint16_t value;

	if (pread(device, &value, 2, (off_t)config_offset + 4) != 2)
		fail("reading the command register");
	value = (uint16_t)((value | set) & ~clear);
	if (pwrite(device, &value, 2, (off_t)config_offset + 4) != 2)
		fail("writing the command register");
}

static void open_device(void)
{
	struct vfio_region_info region = { .argsz = sizeof region, .index = (uint32_t)bar };
	struct vfio_region_info config = { .argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX };
	struct vfio_group_status status = { .argsz = sizeof status };
	char path[300], target[256], *slash;
	ssize_t length;
	int group;

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/iommu_group", bdf);
	if ((length = readlink(path, target, sizeof target - 1)) < 0)
		fail("%s has no IOMMU group", bdf);
	target[length] = 0;
	slash = strrchr(target, '/');
	snprintf(path, sizeof path, "/dev/vfio/%s", slash ? slash + 1 : target);
	if ((container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC)) < 0)
		fail("/dev/vfio/vfio");
	if ((group = open(path, O_RDWR | O_CLOEXEC)) < 0)
		fail(errno == EBUSY ? "%s: another process has the device open, and only one can" : "%s (is the device bound to vfio-pci?)", path);
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) || !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		fail("the group %s is not viable", path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		fail("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("VFIO_SET_IOMMU type1v2");
	if ((device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf)) < 0)
		fail("VFIO_GROUP_GET_DEVICE_FD %s", bdf);
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) || !(region.flags & VFIO_REGION_INFO_FLAG_MMAP))
		fail("BAR %d of %s cannot be mapped", bar, bdf);
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config))
		fail("the configuration space of %s", bdf);
	region_offset = region.offset;
	config_offset = config.offset;
	if (!size || size > region.size)
		size = region.size;
	command_register(2 | 4, 0);
}

#endif

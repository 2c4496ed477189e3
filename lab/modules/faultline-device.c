// SPDX-License-Identifier: GPL-2.0
/*
 * faultline-device - a device of Faultline's lab, whose memory can be mapped in three ways that differ in the locks they need:
 *
 *   /dev/faultline-remap    the fault handler calls remap_pfn_range of the whole mapping. That changes the flags of the VMA, which
 *                           wants mmap_lock held for write; a fault handler has it for read. This is the mistake of the thread,
 *                           and is made on purpose: kernels 6.10 to 6.19 WARN, others say nothing.
 *   /dev/faultline-insert   the fault handler calls vmf_insert_pfn of one page, as it should
 *   /dev/faultline-map      no fault handler: mmap calls remap_pfn_range, where the lock is held for write
 *
 * The memory is 64 KiB of the kernel's own, shared by all. For 6.1 and later; never to be loaded outside a lab.
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/version.h>

#define DEVICE_ORDER 4
#define DEVICE_BYTES (PAGE_SIZE << DEVICE_ORDER)

static struct page *memory;
/* Two threads may fault at the same time, and what was remapped must not be again. */
static DEFINE_MUTEX(remap_lock);

static unsigned long first_pfn(void)
{
	return page_to_pfn(memory);
}

static vm_fault_t faultline_remap_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t result = VM_FAULT_NOPAGE;

	mutex_lock(&remap_lock);
	if (!vma->vm_private_data) {
		if (remap_pfn_range(vma, vma->vm_start, first_pfn(), vma->vm_end - vma->vm_start, vma->vm_page_prot))
			result = VM_FAULT_SIGBUS;
		else
			vma->vm_private_data = memory;
	}
	mutex_unlock(&remap_lock);
	return result;
}

static vm_fault_t faultline_insert_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	return vmf_insert_pfn(vma, vmf->address, first_pfn() + ((vmf->address - vma->vm_start) >> PAGE_SHIFT));
}

/* A part of a mapping would need more than one flag to know whether it was remapped. */
static int faultline_may_split(struct vm_area_struct *vma, unsigned long address)
{
	return -EINVAL;
}

static const struct vm_operations_struct remap_vm_ops = { .fault = faultline_remap_fault, .may_split = faultline_may_split };
static const struct vm_operations_struct insert_vm_ops = { .fault = faultline_insert_fault, .may_split = faultline_may_split };
static const struct vm_operations_struct map_vm_ops = { .may_split = faultline_may_split };

static int prepare(struct vm_area_struct *vma, const struct vm_operations_struct *ops)
{
	unsigned long flags = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff || vma->vm_end - vma->vm_start > DEVICE_BYTES)
		return -EINVAL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
	vma->vm_private_data = NULL;
	vma->vm_ops = ops;
	return 0;
}

static int faultline_remap_mmap(struct file *file, struct vm_area_struct *vma)
{
	return prepare(vma, &remap_vm_ops);
}

static int faultline_insert_mmap(struct file *file, struct vm_area_struct *vma)
{
	return prepare(vma, &insert_vm_ops);
}

static int faultline_map_mmap(struct file *file, struct vm_area_struct *vma)
{
	int problem = prepare(vma, &map_vm_ops);

	return problem ?: remap_pfn_range(vma, vma->vm_start, first_pfn(), vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations remap_file_ops = { .owner = THIS_MODULE, .mmap = faultline_remap_mmap };
static const struct file_operations insert_file_ops = { .owner = THIS_MODULE, .mmap = faultline_insert_mmap };
static const struct file_operations map_file_ops = { .owner = THIS_MODULE, .mmap = faultline_map_mmap };

static struct miscdevice devices[] = {
	{ .minor = MISC_DYNAMIC_MINOR, .name = "faultline-remap", .fops = &remap_file_ops },
	{ .minor = MISC_DYNAMIC_MINOR, .name = "faultline-insert", .fops = &insert_file_ops },
	{ .minor = MISC_DYNAMIC_MINOR, .name = "faultline-map", .fops = &map_file_ops },
};

static int __init faultline_device_init(void)
{
	int problem = 0;
	size_t at;

	memory = alloc_pages(GFP_KERNEL | __GFP_ZERO, DEVICE_ORDER);
	if (!memory)
		return -ENOMEM;
	for (at = 0; at < ARRAY_SIZE(devices) && !problem; at++)
		problem = misc_register(&devices[at]);
	if (!problem)
		return 0;
	while (at-- > 1)
		misc_deregister(&devices[at - 1]);
	__free_pages(memory, DEVICE_ORDER);
	return problem;
}

static void __exit faultline_device_exit(void)
{
	for (size_t at = 0; at < ARRAY_SIZE(devices); at++)
		misc_deregister(&devices[at]);
	__free_pages(memory, DEVICE_ORDER);
}

module_init(faultline_device_init);
module_exit(faultline_device_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Memory mapped in three ways, one of them wrong: for Faultline's lab");

// v1d: as v1, but the handler downgrades the lock instead of letting go of it, and returns as if nothing had happened: its
// caller finds mmap_lock held for read, as it left it, and is not told that there was a gap.

@take_write_lock@
typedef vm_fault_t;
identifier vmf, vma, vdev, mmap_vma, ret;
@@
 vm_fault_t vfio_pci_mmap_fault(struct vm_fault *vmf)
 {
 	struct vm_area_struct *vma = vmf->vma;
 	struct vfio_pci_core_device *vdev = vma->vm_private_data;
 	struct vfio_pci_mmap_vma *mmap_vma;
 	vm_fault_t ret = VM_FAULT_NOPAGE;
+	struct mm_struct *mm = vma->vm_mm;
+
+	mmap_read_unlock(mm);
+	if (mmap_write_lock_killable(mm))
+		return VM_FAULT_RETRY;
 	...
 }

@downgrade@
identifier vdev, ret;
@@
 vfio_pci_mmap_fault(...)
 {
 	...
 	mutex_unlock(&vdev->vma_lock);
+	mmap_write_downgrade(mm);
 	return ret;
 }

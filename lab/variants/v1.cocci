// v1: what the patch of the thread proposed, finished so that it can run: the handler drops mmap_lock, which its caller
// holds for read, and takes it for write around the remap. On success it has let go of the lock altogether and says so
// (VM_FAULT_COMPLETED); after an error it takes the lock for read again, as its caller left it.
// Nobody asks whether the caller allows the lock to be dropped, nor whether the VMA is still there in the gap.

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

@give_back@
identifier vdev, ret;
@@
 vfio_pci_mmap_fault(...)
 {
 	...
 	mutex_unlock(&vdev->vma_lock);
+	mmap_write_unlock(mm);
+	if (ret == VM_FAULT_NOPAGE)
+		ret |= VM_FAULT_COMPLETED;
+	else
+		mmap_read_lock(mm);
 	return ret;
 }

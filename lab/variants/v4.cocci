// v4: no fault handler at all. The BAR is mapped at mmap time, where the lock is held for write.

@no_handler@
@@
 struct vm_operations_struct vfio_pci_mmap_ops = {
-	.fault = vfio_pci_mmap_fault,
 };

@unused@
@@
-vfio_pci_mmap_fault(...)
-{
-	...
-}

@map_now@
identifier vma, vdev, ret;
@@
 vfio_pci_core_mmap(..., struct vm_area_struct *vma)
 {
 	...
 	int ret;
 	...
 	vma->vm_private_data = vdev;
 	...
 	vma->vm_ops = &vfio_pci_mmap_ops;
+	mutex_lock(&vdev->vma_lock);
+	ret = __vfio_pci_add_vma(vdev, vma);
+	mutex_unlock(&vdev->vma_lock);
+	if (ret)
+		return ret;
+	ret = io_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start, vma->vm_page_prot);
+	if (ret)
+		vfio_pci_mmap_close(vma);
-	return 0;
+	return ret;
 }

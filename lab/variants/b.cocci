// Era B on a kernel of era A: one page a fault by vmf_insert_pfn, vm_pgoff stays the offset in the device's file, and the type
// by which era A is known has another name. Zapping still walks era A's list, so a VMA is put on it once.

@one_page@
iterator name list_for_each_entry;
identifier vma, vdev, mmap_vma, ret;
@@
 vfio_pci_mmap_fault(struct vm_fault *vmf)
 {
 	...
 	list_for_each_entry(mmap_vma, &vdev->vma_list, vma_next) {
 		if (mmap_vma->vma == vma)
-			goto up_out;
+			goto insert;
 	}
-	if (io_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start, vma->vm_page_prot)) {
-		ret = VM_FAULT_SIGBUS;
-		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
-		goto up_out;
-	}
 	if (__vfio_pci_add_vma(vdev, vma)) {
 		ret = VM_FAULT_OOM;
-		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
+		goto up_out;
 	}
+insert:
+	ret = vmf_insert_pfn(vma, vmf->address, (pci_resource_start(vdev->pdev, vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) >> PAGE_SHIFT) + (vma->vm_pgoff & ((1U << (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) - 1)) + ((vmf->address - vma->vm_start) >> PAGE_SHIFT));
 up_out:
 	...
 }

@offset_stays@
identifier vma, pdev, index, pgoff;
@@
 vfio_pci_core_mmap(...)
 {
 	...
-	vma->vm_pgoff = (pci_resource_start(pdev, index) >> PAGE_SHIFT) + pgoff;
 	...
 }

@other_name@
@@
-struct vfio_pci_mmap_vma
+struct vfio_pci_filled_vma

@other_definition@
@@
-struct vfio_pci_mmap_vma {
+struct vfio_pci_filled_vma {
 	...
 };

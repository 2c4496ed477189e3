// v2: one page a fault, with vmf_insert_pfn, which leaves the flags of the VMA alone. The list of mappings that a zap walks
// is kept as it is, so a VMA is put on it once.

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
+	ret = vmf_insert_pfn(vma, vmf->address, vma->vm_pgoff + ((vmf->address - vma->vm_start) >> PAGE_SHIFT));
 up_out:
 	...
 }

// v3: the whole VMA in one fault as before, but page by page with vmf_insert_pfn, which leaves the flags of the VMA alone.

@whole_vma@
identifier vma, vdev, ret;
statement S;
@@
 vfio_pci_mmap_fault(struct vm_fault *vmf)
 {
 	...
-	if (io_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start, vma->vm_page_prot)) {
-		ret = VM_FAULT_SIGBUS;
-		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
-		goto up_out;
-	}
+	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
+		ret = vmf_insert_pfn(vma, addr, vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT));
+		if (ret != VM_FAULT_NOPAGE) {
+			zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
+			goto up_out;
+		}
+	}
 	if (__vfio_pci_add_vma(vdev, vma)) S
 	...
 }

@declare depends on whole_vma@
identifier mmap_vma;
@@
 vfio_pci_mmap_fault(...)
 {
 	...
 	struct vfio_pci_mmap_vma *mmap_vma;
+	unsigned long addr;
 	...
 }

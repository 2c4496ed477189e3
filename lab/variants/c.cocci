// Era C on a kernel of era A: the whole VMA in one fault, page by page with vmf_insert_pfn; otherwise as b.cocci.

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
+	pfn = (pci_resource_start(vdev->pdev, vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) >> PAGE_SHIFT) + (vma->vm_pgoff & ((1U << (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)) - 1));
+	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE, pfn++) {
+		ret = vmf_insert_pfn(vma, addr, pfn);
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
+	unsigned long addr, pfn;
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

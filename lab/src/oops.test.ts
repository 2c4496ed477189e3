import { describe, expect, it } from 'vitest';
import { describeOops, readOopses } from './oops.ts';

// As the consoles of lab guests had them (6.1.192), registers and some frames left out.
const nullPointer = `[   31.1] BUG: kernel NULL pointer dereference, address: 0000000000000000\r
[   31.1] #PF: supervisor write access in kernel mode\r
[   31.1] Oops: 0002 [#1] PREEMPT SMP NOPTI\r
[   31.1] CPU: 1 PID: 180 Comm: vfio-edge Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2\r
[   31.1] RIP: 0010:fixup_user_fault+0x9d/0x120\r
[   31.1] Call Trace:\r
[   31.1]  <TASK>\r
[   31.1]  ? __die_body.cold+0x1a/0x1f\r
[   31.1]  fault_in_user_writeable+0x3e/0x90\r
[   31.1]  futex_wake_op+0x191/0x570\r
[   31.1]  do_futex+0x11e/0x1d0\r
[   31.1] RIP: 0033:0x441103\r
[   31.1]  </TASK>\r
[   31.1] Modules linked in: vfio_pci(E) vfio_pci_core(OE)\r
[   31.2] RIP: 0010:fixup_user_fault+0x9d/0x120\r
`;
const badPage = `[   11.816738] BUG: Bad page map in process vfio-edge  pte:8000000100000237 pmd:18884067
[   11.817000] addr:00007f4de53dd000 vm_flags:00100073 anon_vma:0000000000000000 mapping:0000000000000000 index:7f4de53dd
[   11.818072] CPU: 1 PID: 198 Comm: vfio-edge Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2
[   11.818500] Call Trace:
[   11.818600]  <TASK>
[   11.818700]  dump_stack_lvl+0x44/0x5c
[   11.818800]  print_bad_pte.cold+0x61/0xb5
[   11.819300]  </TASK>
`;

describe('the console of a guest', () => {
  it('says which BUG and which stack', () => {
    const [oops, ...others] = readOopses(`booting\n${nullPointer}`);
    expect(others).toEqual([]);
    expect(oops).toEqual({
      kind: 'BUG',
      what: 'BUG: kernel NULL pointer dereference, address: 0000000000000000',
      at: 'fixup_user_fault',
      stack: ['fault_in_user_writeable', 'futex_wake_op', 'do_futex'],
    });
    expect(oops && describeOops(oops)).toBe(
      'BUG: kernel NULL pointer dereference, address: 0000000000000000 in fixup_user_fault (from fault_in_user_writeable, futex_wake_op, do_futex)',
    );
  });

  it('tells a bad page from a BUG, and one from the next', () => {
    expect(readOopses(badPage + nullPointer).map(({ kind, stack }) => [kind, stack[0]])).toEqual([
      ['bad-page', 'dump_stack_lvl'],
      ['BUG', 'fault_in_user_writeable'],
    ]);
  });

  it('holds nothing where nothing happened, and no more than is bearable', () => {
    expect(readOopses('[    0.1] Linux version 6.1\n[    1.0] faultline-stage agent 1.2\n')).toEqual([]);
    expect(readOopses(badPage.repeat(150))).toHaveLength(100);
  });
});

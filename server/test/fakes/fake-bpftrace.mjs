#!/usr/bin/env node
/*
 * A bpftrace for the faults that the real one cannot be brought to: FAKE_BPFTRACE names the fault. Where the texts
 * matter they were captured from 0.17, 0.23 and 0.27 (probes/DIALECTS.md).
 */
const fault = process.env['FAKE_BPFTRACE'] ?? 'well';
const out = (text) => process.stdout.write(text);
const line = (type, data) => out(`${JSON.stringify({ type, data })}\n`);
const nowNs = () => process.hrtime.bigint();
const fail = (code, text) => {
  process.stderr.write(text);
  process.exitCode = code;
};

let count = 0;
const ready = () => {
  line('attached_probes', { probes: 3 });
  line('printf', `READY ${nowNs()} ${process.pid}\n`);
};
const beat = () => {
  count += 10;
  line('map', { '@acq': { '0,1,well': count } });
  line('printf', `HB ${nowNs()}\n`);
};
/** Beats until SIGINT; then the last maps, as bpftrace does. */
const live = (onBeat = beat) => {
  const timer = setInterval(onBeat, 50);
  process.on('SIGINT', () => {
    clearInterval(timer);
    out('\n\n');
    line('map', { '@acq': { '0,1,well': count + 3 } });
    process.exit(0);
  });
  // Not before it heeds signals: one may come at once.
  ready();
};
const silent = () => setInterval(() => {}, 1000);
const flood = (text) => {
  ready();
  const write = () => {
    while (out(text)) {}
    process.stdout.once('drain', write);
  };
  write();
};

const faults = {
  well: () => live(),
  'missing-tracepoint-0.17': () => fail(1, 'stdin:1:1-40: ERROR: tracepoint not found: mmap_lock:mmap_lock_nothing\n'),
  'missing-tracepoint-0.27': () =>
    fail(1, 'x.bt:1:1-40: ERROR: No matches for tracepoint mmap_lock:mmap_lock_nothing.\n'),
  'missing-function-0.17': () => {
    line('attached_probes', { probes: 3 });
    fail(255, "ERROR: Error attaching probe: 'kprobe:handle_mm_nothing'\n");
  },
  'missing-module-0.17': () =>
    fail(1, 'x.bt:36-40: ERROR: kfunc:vfio_pci_mmap_fault: no BTF data for vfio_pci_mmap_fault\n'),
  'syntax-error': () => fail(1, 'x.bt:3:7-9: ERROR: syntax error, unexpected identifier\n'),
  'not-root': () => fail(1, 'ERROR: bpftrace currently only supports running as the root user.\n'),
  'no-capability': () => fail(1, 'ERROR: Missing CAP_BPF capability\n'),
  'sudo-refuses': () => fail(1, 'sudo: a password is required\n'),
  'load-failure': () => fail(1, 'ERROR: Unknown BPF object load failure. Try using the "-d libbpf" option\n'),
  segfault: () => process.kill(process.pid, 'SIGSEGV'),
  'never-ready': () => silent(),
  'hangs-after-ready': () => {
    ready();
    silent();
  },
  'ignores-sigint': () => {
    live();
    process.removeAllListeners('SIGINT');
    process.on('SIGINT', () => {});
  },
  'ignores-first-sigint': () => {
    live();
    const [stop] = process.listeners('SIGINT');
    process.removeAllListeners('SIGINT');
    process.once('SIGINT', () => process.once('SIGINT', stop));
  },
  'ends-by-itself': () => {
    ready();
    beat();
    setTimeout(() => process.exit(0), 100);
  },
  floods: () => flood(`${'x'.repeat(65_536)}\n`),
  rubbish: () => {
    live(() => {
      out('\u0000\u0001\ufffd not json {{{ \n[1,2]\n"text"\n{"type":"map"}\n');
      beat();
    });
  },
  'half-lines': () => {
    live(() => {
      count += 10;
      const text = `${JSON.stringify({ type: 'map', data: { '@acq': { '0,1,well': count } } })}\n`;
      out(text.slice(0, 20));
      setTimeout(() => {
        out(text.slice(20));
        line('printf', `HB ${nowNs()}\n`);
      }, 15);
    });
  },
  'long-lines': () => {
    live(() => {
      out(`${'y'.repeat(1_048_576)}\n`);
      out(`${'z'.repeat(5_242_880)}\n`);
      beat();
    });
  },
  'loses-events': () => {
    live(() => {
      out('{"type": "lost_events", "count": 7, "data": {"events": 7}}\n');
      beat();
    });
  },
  'map-full-0.23': () => {
    live(() => {
      out(
        '{"type": "helper_error", "msg": "Map full; can\'t update element.", "helper": "map_update_elem", "retcode": -7, "line": 2, "col": 37}\n',
      );
      beat();
    });
  },
  /** As much as a loaded machine gives: many keys, and 40,000 tuples a second where the script is one of detail. */
  busy: () => {
    const isDetail = process.argv.some((word) => word.endsWith('detail.bt'));
    let printed = 0;
    live(() => {
      count += 1;
      let text = '';
      for (let at = 0; isDetail && at < 2000; at += 1) {
        text += `{"type": "value", "data": [${nowNs()},${at % 8},"comm-${at % 50}"]}\n`;
        printed += 1;
      }
      out(text);
      const keys = Array.from({ length: 400 }, (_, at) => [`${at % 2},1,process-${at}`, count * (at + 1)]);
      line('map', { '@acq': Object.fromEntries(keys) });
      line('map', { '@emitted': printed });
      line('printf', `HB ${nowNs()}\n`);
    });
  },
  'counter-goes-back': () => {
    let isLow = false;
    live(() => {
      isLow = !isLow;
      line('map', { '@acq': { '0,1,well': isLow ? 5 : 50 } });
      line('printf', `HB ${nowNs()}\n`);
    });
  },
};

if (process.argv.includes('--version')) out(`bpftrace v${process.env['FAKE_BPFTRACE_VERSION'] ?? '0.17.0'}\n`);
else faults[fault]();

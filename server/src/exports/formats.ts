/** The formats a session can be had in. */
import { exportArchive } from './archive.ts';
import { exportChromeJson } from './chrome-json.ts';
import { exportCsv } from './csv.ts';
import { exportFolded } from './folded.ts';
import { exportJsonl } from './jsonl.ts';
import { exportOpenMetrics } from './openmetrics.ts';
import { exportParquet } from './parquet.ts';
import { exportPerfetto } from './perfetto.ts';
import { exportPprof } from './pprof.ts';
import type { Exporter } from './source.ts';
import { exportText } from './text.ts';

type Format = { readonly extension: string; readonly contentType: string; readonly write: Exporter };

/** By the name on the command line and in the path of the interface. */
export const exportFormats = {
  jsonl: { extension: 'jsonl', contentType: 'application/x-ndjson', write: exportJsonl },
  archive: { extension: 'tar.gz', contentType: 'application/gzip', write: exportArchive },
  csv: { extension: 'csv', contentType: 'text/csv; charset=utf-8', write: exportCsv },
  parquet: { extension: 'parquet', contentType: 'application/vnd.apache.parquet', write: exportParquet },
  perfetto: { extension: 'pftrace', contentType: 'application/vnd.google.protobuf', write: exportPerfetto },
  'chrome-json': { extension: 'trace.json', contentType: 'application/json', write: exportChromeJson },
  folded: { extension: 'folded', contentType: 'text/plain; charset=utf-8', write: exportFolded },
  pprof: { extension: 'pb.gz', contentType: 'application/gzip', write: exportPprof },
  openmetrics: {
    extension: 'om.txt',
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    write: exportOpenMetrics,
  },
  text: { extension: 'txt', contentType: 'text/plain; charset=utf-8', write: exportText },
} as const satisfies Readonly<Record<string, Format>>;
export type ExportFormat = keyof typeof exportFormats;

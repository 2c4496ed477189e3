/** Apache Parquet: the same table as CSV, typed and compressed. */
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { exportRowGroupMax, type RowColumn, type RowValue, rowColumns } from '@faultline/shared';
import { sessionRows } from './rows.ts';
import type { ExportSource } from './source.ts';

/** A row group at a time: its memory is all that is held. Numbers are doubles, which hold every integer we have. */
export async function* exportParquet(source: ExportSource): AsyncGenerator<Uint8Array> {
  const columns = rowColumns(source.manifest);
  const bytes = new ByteWriter();
  const { id, faultline, target } = source.manifest;
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: columnData(columns, []) }),
    kvMetadata: [
      { key: 'faultline.session', value: id },
      { key: 'faultline.version', value: faultline },
      { key: 'faultline.kernel', value: target.identity?.release ?? '' },
    ],
  });
  let group: (readonly RowValue[])[] = [];
  for await (const rows of sessionRows(source, 'changes')) {
    for (const row of rows) {
      group.push(row);
      if (group.length < exportRowGroupMax) continue;
      await writer.write({ columnData: columnData(columns, group), rowGroupSize: exportRowGroupMax });
      group = [];
      yield taken(bytes);
    }
  }
  if (group.length > 0) await writer.write({ columnData: columnData(columns, group), rowGroupSize: exportRowGroupMax });
  await writer.finish();
  yield taken(bytes);
}

function columnData(columns: readonly RowColumn[], rows: readonly (readonly RowValue[])[]) {
  return columns.map(({ name, type }, place) => ({
    name,
    type: type === 'text' ? ('STRING' as const) : ('DOUBLE' as const),
    nullable: true,
    data: rows.map((row) => row[place]),
  }));
}

/** What was written since the last time; the writer goes on counting where it is in the file. */
function taken(bytes: ByteWriter): Uint8Array {
  const piece = bytes.getBytes().slice();
  bytes.index = 0;
  return piece;
}

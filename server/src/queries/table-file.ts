/** A Parquet file that is written while its rows come, a group at a time. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { derivedRowGroupMax, type RowColumn, type RowValue } from '@faultline/shared';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';

/** Numbers are doubles, which hold every integer we have; compressed by Zstandard, which every reader of Parquet knows. */
export class TableFile {
  /** By column: the rows of the group that is being filled. All columns are as long as each other between two ticks. */
  readonly data: RowValue[][];
  private readonly columns: readonly RowColumn[];
  private readonly file: number;
  private readonly bytes = new ByteWriter();
  private readonly writer: ParquetWriter;
  private writtenBytes = 0;

  /** Makes the file, which must not be there. Throws what the file system throws. */
  constructor(path: string, columns: readonly RowColumn[]) {
    this.columns = columns;
    this.data = columns.map(() => []);
    this.file = openSync(path, 'wx', 0o600);
    this.writer = new ParquetWriter({
      writer: this.bytes,
      schema: schemaFromColumnData({ columnData: this.sources() }),
      codec: 'ZSTD',
      compressors: { ZSTD: (plain) => zstdCompressSync(plain) },
    });
  }

  /** Writes the group where it is large enough; called after each tick. */
  async flush(isLast: boolean): Promise<void> {
    const rowCount = this.data[0]?.length ?? 0;
    if (rowCount < derivedRowGroupMax && !(isLast && rowCount > 0)) return;
    await this.writer.write({ columnData: this.sources(), rowGroupSize: derivedRowGroupMax });
    for (const column of this.data) column.length = 0;
    this.push();
  }

  /** Writes the rest, and to the disk itself; the file's size, bytes. */
  async finish(): Promise<number> {
    await this.flush(true);
    await this.writer.finish();
    this.push();
    fsyncSync(this.file);
    return this.writtenBytes;
  }

  close(): void {
    closeSync(this.file);
  }

  private push(): void {
    const piece = this.bytes.getBytes();
    for (let offset = 0; offset < piece.length; ) offset += writeSync(this.file, piece, offset, piece.length - offset);
    this.writtenBytes += piece.length;
    this.bytes.index = 0;
  }

  private sources() {
    return this.columns.map(({ name, type }, place) => ({
      name,
      nullable: true,
      // A column of words in one stream may be one of numbers in another.
      data: type === 'text' ? (this.data[place] ?? []).map(textOf) : (this.data[place] ?? []),
      // A dictionary pays for texts; for times it is as large as they are.
      ...(type === 'text' ? { type: 'STRING' as const } : { type: 'DOUBLE' as const, encoding: 'PLAIN' as const }),
    }));
  }
}

function textOf(value: RowValue): string | undefined {
  return value === undefined ? undefined : String(value);
}

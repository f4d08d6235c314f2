import { type FileHandle, open } from 'node:fs/promises';
import { ModelFormatError } from '../errors.js';

/** NumPy's magic, and version 1.0 of its format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
const MAGIC = '\x93NUMPY\x01\x00';
/** Of the header, with room for any number of rows: a multiple of 64. */
const HEADER_BYTES = 128;

function headerOf(rows: number, columns: number): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = Buffer.alloc(HEADER_BYTES, ' ');
  header.write(MAGIC, 'latin1');
  header.writeUInt16LE(HEADER_BYTES - 10, 8);
  header.write(text, 10, 'latin1');
  header[HEADER_BYTES - 1] = 10;
  return header;
}

/** A float32 matrix in a .npy file that grows by rows. After each append() it is whole. */
export class NpyFile {
  private constructor(
    private readonly file: FileHandle,
    readonly columns: number,
    private count: number,
  ) {}

  /** Opens a file, or makes it. @throws ModelFormatError for a file of other columns, or of another kind */
  static async open(path: string, columns: number): Promise<NpyFile> {
    const file = await open(path, 'a+').then(async (made) => {
      await made.close();
      return open(path, 'r+');
    });
    const { size } = await file.stat();
    const npy = new NpyFile(file, columns, Math.max(0, Math.floor((size - HEADER_BYTES) / (columns * 4))));
    if (size >= HEADER_BYTES) {
      const { buffer } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
      const expected = `, ${columns}), }`;
      if (!buffer.toString('latin1').startsWith(MAGIC) || !buffer.toString('latin1').includes(expected)) {
        await file.close();
        throw new ModelFormatError(`${path} is not a float32 matrix of ${columns} columns; name another file, or remove it.`);
      }
    }
    return npy;
  }

  get rows(): number {
    return this.count;
  }

  /** Drops all rows from the given one on. */
  async keep(rows: number): Promise<void> {
    this.count = Math.min(rows, this.count);
    await this.file.truncate(HEADER_BYTES + this.count * this.columns * 4);
    await this.writeHeader();
  }

  async append(rows: readonly Float32Array[]): Promise<void> {
    const { columns, count } = this;
    const values = new Float32Array(rows.length * columns);
    for (const [i, row] of rows.entries()) values.set(row, i * columns);
    await this.file.write(Buffer.from(values.buffer), 0, values.byteLength, HEADER_BYTES + count * columns * 4);
    this.count += rows.length;
    await this.writeHeader();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async writeHeader(): Promise<void> {
    await this.file.write(headerOf(this.count, this.columns), 0, HEADER_BYTES, 0);
  }
}

import type { Engine } from '../engine/engine.js';
import type { Preprocessing } from '../graph/network.js';
import type { Pixels } from '../inputs.js';
import { type ResampleTable, resampleTable } from './resample.js';

/** Bytes of source rows that lie in wasm memory at a time: a photograph of any size goes through in bands. */
const BAND_BYTES = 1 << 20;

interface Geometry {
  readonly columns: ResampleTable;
  readonly rows: ResampleTable;
  /** Source rows that the crop needs. */
  readonly firstRow: number;
  readonly rowCount: number;
}

/**
 * Resize so that the crop is `preprocessing.crop` of the shorter side, crop the centre, normalise: torchvision's and
 * timm's evaluation transform, on 8-bit intermediates like theirs.
 */
function geometry(image: Pixels, height: number, width: number, preprocessing: Preprocessing): Geometry {
  const { crop, interpolation } = preprocessing;
  const needed = [Math.round(height / crop), Math.round(width / crop)] as const;
  const scale = Math.max(needed[0] / image.height, needed[1] / image.width);
  // One side fits exactly; the other is cut down to whole pixels, as torchvision cuts it.
  const resized = [
    Math.max(needed[0], Math.floor(image.height * scale + 1e-6)),
    Math.max(needed[1], Math.floor(image.width * scale + 1e-6)),
  ] as const;
  const top = roundHalfEven((resized[0] - height) / 2);
  const left = roundHalfEven((resized[1] - width) / 2);
  const rows = resampleTable(image.height, resized[0], top, height, interpolation);
  const columns = resampleTable(image.width, resized[1], left, width, interpolation);
  const starts = new Uint32Array(rows.words.buffer);
  const firstRow = starts[0] as number;
  const last = (starts[(height - 1) * (rows.taps + 1)] as number) + rows.taps;
  for (let y = 0; y < height; y++) starts[y * (rows.taps + 1)] = (starts[y * (rows.taps + 1)] as number) - firstRow;
  return { columns, rows, firstRow, rowCount: last - firstRow };
}

/** Python's round(), which torchvision's CenterCrop uses. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return x % 1 === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/** Writes [height, width, 3] float32 at `target` in the engine's memory. */
export function preprocess(
  engine: Engine,
  image: Pixels,
  target: number,
  height: number,
  width: number,
  preprocessing: Preprocessing,
): void {
  const { columns, rows, firstRow, rowCount } = geometry(image, height, width, preprocessing);
  const mark = engine.mark();
  try {
    const place = (words: Float32Array) => {
      const pointer = engine.allocate(words.length * 4);
      // Bit by bit: the tables hold integers among the floats.
      engine.ints(pointer, words.length).set(new Int32Array(words.buffer, words.byteOffset, words.length));
      return pointer;
    };
    const columnTable = place(columns.words);
    const rowTable = place(rows.words);
    const { mean, std } = preprocessing;
    const scaleAndOffset = place(Float32Array.of(...std.map((s) => 1 / (255 * s)), ...mean.map((m, c) => -m / (std[c] as number))));
    const lines = engine.allocate(rowCount * width * 3);
    const rowBytes = image.width * image.channels;
    const bandRows = Math.max(1, Math.min(rowCount, Math.floor(BAND_BYTES / rowBytes)));
    const band = engine.allocate(bandRows * rowBytes);
    for (let y = 0; y < rowCount; y += bandRows) {
      const count = Math.min(bandRows, rowCount - y);
      const start = (firstRow + y) * rowBytes;
      engine.bytes(band, count * rowBytes).set(image.data.subarray(start, start + count * rowBytes));
      const output = lines + y * width * 3;
      engine.exports.resize_horizontal(band, output, count, image.width, image.channels, width, columnTable, columns.taps);
    }
    engine.exports.resize_vertical_normalize(lines, target, width, height, rowTable, rows.taps, scaleAndOffset);
  } finally {
    engine.release(mark);
  }
}

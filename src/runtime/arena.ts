/** A stretch of memory and the steps, first to last, during which it is in use. */
export interface Buffer {
  readonly bytes: number;
  firstStep: number;
  lastStep: number;
  offset: number;
}

const ALIGNMENT = 64;

/**
 * Places buffers so that no two that are in use at the same step overlap: largest first, each at the lowest offset that
 * is free over its whole life ("greedy by size", Pisarchyk and Lee, arXiv 2001.03288, section 5.2).
 *
 * @returns the bytes that all of it takes
 */
export function placeBuffers(buffers: readonly Buffer[]): number {
  const placed: Buffer[] = [];
  let total = 0;
  for (const buffer of [...buffers].sort((a, b) => b.bytes - a.bytes || a.firstStep - b.firstStep)) {
    const bytes = Math.ceil(buffer.bytes / ALIGNMENT) * ALIGNMENT;
    let offset = 0;
    for (const other of placed) {
      if (other.lastStep < buffer.firstStep || other.firstStep > buffer.lastStep) continue;
      if (other.offset >= offset + bytes) break; // placed is sorted by offset: a gap that is large enough
      offset = Math.max(offset, other.offset + Math.ceil(other.bytes / ALIGNMENT) * ALIGNMENT);
    }
    buffer.offset = offset;
    placed.push(buffer);
    placed.sort((a, b) => a.offset - b.offset);
    total = Math.max(total, offset + bytes);
  }
  return total;
}

/** The largest sum of bytes in use at one step: no placement can do with less. */
export function peakBytes(buffers: readonly Buffer[]): number {
  const steps = new Set(buffers.map((buffer) => buffer.firstStep));
  let peak = 0;
  for (const step of steps) {
    const live = buffers.filter((buffer) => buffer.firstStep <= step && buffer.lastStep >= step);
    peak = Math.max(
      peak,
      live.reduce((sum, buffer) => sum + buffer.bytes, 0),
    );
  }
  return peak;
}

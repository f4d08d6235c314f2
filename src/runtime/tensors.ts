import type { Arithmetic, Margin, Operand } from '../compute/arithmetic.js';
import type { Shape } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { Buffer } from './arena.js';

/** Where a tensor lies, for whoever looks at it from outside. */
export interface TensorView {
  readonly name: string;
  readonly shape: Shape;
  /** Of its first pixel; bytes from row to row and from pixel to pixel. */
  readonly pointer: number;
  readonly rowStride: number;
  readonly pixelStride: number;
  /** Undefined: float32. */
  readonly lanes?: Lanes;
}

/** A tensor of a plan: a buffer with a layout, and zeros around its pixels for who reads over the edge. */
export class PlannedTensor implements Operand, Buffer {
  offset = 0;
  lastStep: number;
  /** Where the arena lies; set when memory is placed. */
  base = 0;
  private halo: Margin = { top: 0, bottom: 0, left: 0, right: 0 };

  constructor(
    readonly name: string,
    readonly shape: Shape,
    readonly arithmetic: Arithmetic,
    readonly lanes: Lanes | undefined,
    readonly stored: number,
    readonly roomy: boolean,
    readonly firstStep: number,
  ) {
    this.lastStep = firstStep;
  }

  get elementBytes(): number {
    return this.arithmetic.elementBytes;
  }

  get pixelBytes(): number {
    return this.stored * this.elementBytes;
  }

  get rowStride(): number {
    return (this.halo.left + this.shape[1] + this.halo.right) * this.pixelBytes;
  }

  get bytes(): number {
    return (this.halo.top + this.shape[0] + this.halo.bottom) * this.rowStride;
  }

  get pointer(): number {
    return this.base + this.offset + this.halo.top * this.rowStride + this.halo.left * this.pixelBytes;
  }

  get margin(): Margin {
    return this.halo;
  }

  /** Makes room for at least so many zeros. */
  widen({ top, bottom, left, right }: Margin): void {
    const { halo } = this;
    this.halo = {
      top: Math.max(halo.top, top),
      bottom: Math.max(halo.bottom, bottom),
      left: Math.max(halo.left, left),
      right: Math.max(halo.right, right),
    };
  }

  get view(): TensorView {
    const { name, shape, pointer, rowStride, pixelBytes, lanes } = this;
    return { name, shape, pointer, rowStride, pixelStride: pixelBytes, ...(lanes ? { lanes } : {}) };
  }
}

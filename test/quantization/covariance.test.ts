import { type ConvNode, resolvePadding } from '../../src/graph/graph.js';
import { Covariance } from '../../src/quantization/covariance.js';
import { PieceRunner, type Values } from '../../src/quantization/piece.js';
import { random, uniform } from '../random-network.js';

const CHANNELS = 4;
const conv = (groups: number, change: Partial<ConvNode> = {}): ConvNode => ({
  kind: 'conv',
  name: 'c',
  inputs: ['x'],
  kernel: [3, 3],
  strides: [2, 2],
  padding: 'same',
  inputChannels: CHANNELS,
  channels: CHANNELS,
  groups,
  activation: 'none',
  ...change,
});
const image = (seed: number, height = 9, width = 7): Values => ({
  shape: [height, width, CHANNELS],
  data: uniform(random(seed), height * width * CHANNELS, -1, 3),
});

/** Every window of an image, channel by channel or whole. */
function windowsOf({ shape, data }: Values, node: ConvNode, channel?: number): number[][] {
  const [height, width] = shape;
  const [top, bottom, left, right] = resolvePadding(node.padding, [height, width], node.kernel, node.strides);
  const windows: number[][] = [];
  for (let y = -top; y + node.kernel[0] <= height + bottom; y += node.strides[0]) {
    for (let x = -left; x + node.kernel[1] <= width + right; x += node.strides[1]) {
      const window: number[] = [];
      for (let ky = y; ky < y + node.kernel[0]; ky++) {
        for (let kx = x; kx < x + node.kernel[1]; kx++) {
          for (let c = 0; c < CHANNELS; c++) {
            const inside = ky >= 0 && ky < height && kx >= 0 && kx < width;
            if (channel === undefined || channel === c) window.push(inside ? (data[(ky * width + kx) * CHANNELS + c] as number) : 0);
          }
        }
      }
      windows.push(window);
    }
  }
  return windows;
}

const meanOf = (rows: number[][], i: number) => rows.reduce((sum, row) => sum + (row[i] as number), 0) / rows.length;

describe('a covariance', () => {
  let runner: PieceRunner;
  beforeAll(async () => {
    runner = await PieceRunner.create();
  });
  afterAll(() => runner.dispose());

  it.each([
    ['dense', 1, undefined],
    ['depthwise', CHANNELS, 2],
  ] as const)('of a %s convolution is that of its windows, zeros outside of the image among them', (_, groups, channel) => {
    const node = conv(groups);
    const covariance = new Covariance(node, Number.POSITIVE_INFINITY);
    const pairs = [1, 2, 3, 4, 5].map((seed) => ({ rounded: image(seed), float: image(seed + 10) }));
    pairs.forEach(({ rounded, float }, i) => {
      covariance.add(runner, rounded, float, i);
    });
    const { mean, meanDrift, covariance: matrix, drift } = covariance.moments(runner, channel ?? 0);
    const xs = pairs.flatMap(({ rounded }) => windowsOf(rounded, node, channel));
    const ds = pairs.flatMap(({ rounded, float }) => {
      const others = windowsOf(float, node, channel);
      return windowsOf(rounded, node, channel).map((row, r) => row.map((x, i) => (others[r]?.[i] as number) - x));
    });
    expect(covariance.seen).toBe(xs.length);
    for (let i = 0; i < covariance.size; i++) {
      // Products are made in float32.
      expect(mean[i]).toBeCloseTo(meanOf(xs, i), 5);
      expect(meanDrift[i]).toBeCloseTo(meanOf(ds, i), 5);
      for (let j = 0; j < covariance.size; j++) {
        const product = (rows: number[][]) =>
          rows.reduce((sum, row, r) => sum + (row[i] as number) * (xs[r]?.[j] as number), 0) / rows.length -
          meanOf(rows, i) * meanOf(xs, j);
        expect(matrix[i * covariance.size + j]).toBeCloseTo(product(xs), 4);
        expect(drift[i * covariance.size + j]).toBeCloseTo(product(ds), 4);
      }
    }
  });

  it('looks at no more windows than it is told to, in every column', () => {
    const node = conv(1, { kernel: [1, 1], strides: [1, 1] });
    const covariance = new Covariance(node, 20);
    covariance.add(runner, image(1, 16, 16), image(1, 16, 16), 0);
    expect(covariance.seen).toBeGreaterThan(10);
    expect(covariance.seen).toBeLessThanOrEqual(20);
  });
});

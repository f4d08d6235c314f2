import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { tfliteModel } from '../../scripts/tflite.mjs';
import { MobileNetError } from '../../src/errors.js';
import { fuse } from '../../src/graph/fusion.js';
import { imageInput, inferShapes } from '../../src/graph/graph.js';
import { quantize } from '../../src/load.js';
import { LocalModel } from '../../src/local-model.js';
import { readNetwork } from '../../src/weights/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';

// Every reader against files that were changed on their way. A few hundred inputs a reader here; npm run soak, 200,000.

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 400);
const PATIENCE_MILLISECONDS = 1000;
/** Of the file's own bytes, and what a small file may take besides. */
const MOST_MEMORY = { times: 24, besides: 64 << 20 };
const TFLITE = '../shared/models/v3-small-1.0-224-ptq-int8.tflite';

/** Numbers that lengths, offsets and counts break at. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'extreme'; readonly at: number; readonly value: number; readonly bytes: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly from: number; readonly at: number; readonly length: number };

function changed(file: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = file.slice();
  for (const change of changes) {
    const at = change.at % Math.max(1, bytes.length);
    if (change.kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << change.bit);
    else if (change.kind === 'extreme') {
      for (let i = 0; i < change.bytes && at + i < bytes.length; i++)
        bytes[at + i] = i < 4 ? (change.value >>> (8 * i)) & 255 : change.value > 0x7fffffff ? 255 : 0;
    } else if (change.kind === 'cut') bytes = bytes.slice(0, at);
    else bytes.copyWithin(at, change.from % bytes.length, (change.from % bytes.length) + change.length);
  }
  return bytes;
}

/** Changes where a file's structure is: `structure` lists its ranges. What lies between is weights. */
function changesOf(structure: readonly (readonly [number, number])[], length: number): fc.Arbitrary<Change[]> {
  const inside = fc.oneof(...structure.map(([from, to]) => fc.integer({ min: from, max: Math.max(from, to - 1) })));
  const at = fc.oneof({ weight: 9, arbitrary: inside }, { weight: 1, arbitrary: fc.integer({ min: 0, max: length - 1 }) });
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, bit: fc.integer({ min: 0, max: 7 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('extreme' as const),
        at,
        value: fc.constantFrom(...EXTREMES),
        bytes: fc.constantFrom(1, 2, 4, 8),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('splice' as const), from: inside, at, length: fc.integer({ min: 1, max: 64 }) }),
    },
  );
  return fc.array(change, { minLength: 1, maxLength: 4 });
}

async function survives(bytes: Uint8Array): Promise<void> {
  const before = process.memoryUsage().arrayBuffers;
  // Processor time: what else the machine does is not the reader's doing.
  const start = process.cpuUsage();
  try {
    await readNetwork(bytes);
  } catch (error) {
    if (!(error instanceof MobileNetError)) throw error;
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(PATIENCE_MILLISECONDS);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MOST_MEMORY.times * bytes.length + MOST_MEMORY.besides);
}

interface Subject {
  readonly name: string;
  readonly file: () => Promise<Uint8Array> | Uint8Array;
  /** Where its structure lies, in bytes from the start, and from the end as negative numbers. */
  readonly structure: readonly (readonly [number, number])[];
}

const small = { width: 0.25, classes: 3 } as const;
const SUBJECTS: readonly Subject[] = [
  {
    name: 'safetensors',
    file: () => writeSafetensors({ tensors: checkpoint('mobilenet_v3_small', small, 'timm'), metadata: {} }),
    structure: [[0, 16_000]],
  },
  {
    name: "this package's int8 files",
    file: async () => {
      const float = await LocalModel.create(fuse(randomNetwork('mobilenet_v3_small', { ...small, resolution: 32 })));
      const image = { data: pseudoRandom('x', 32 * 32 * 3), shape: [1, 32, 32, 3] } as const;
      return (await quantize(float, [image])).save();
    },
    structure: [[0, 30_000]],
  },
  {
    name: 'PyTorch',
    file: () => new Uint8Array(readFileSync('test/golden/small.pth')),
    structure: [
      [0, 40_000],
      [-20_000, 0],
    ],
  },
  { name: 'ONNX', file: () => new Uint8Array(readFileSync('test/golden/small-folded.onnx')), structure: [[0, 20_000]] },
  {
    name: 'TFLite',
    file: () => {
      const network = fuse(randomNetwork('mobilenet_v3_small', { ...small, resolution: 32 }));
      return tfliteModel(network, inferShapes(network.graph.nodes, imageInput(32, 32)));
    },
    structure: [[0, 40_000]],
  },
  ...(existsSync(TFLITE)
    ? [
        {
          name: 'TFLite of TensorFlow, quantized',
          file: () => new Uint8Array(readFileSync(TFLITE)),
          structure: [
            [0, 400],
            [-400_000, 0],
          ] as const,
        },
      ]
    : []),
];

describe.each(SUBJECTS)('$name', ({ file, structure }) => {
  it(
    'never hangs, never takes much memory, never fails without a type',
    async () => {
      const bytes = await file();
      const ranges = structure.map(
        ([from, to]) => [from < 0 ? bytes.length + from : from, to <= 0 ? bytes.length + to : Math.min(to, bytes.length)] as const,
      );
      await survives(bytes);
      const known = Object.getOwnPropertyNames(Object.prototype).length;
      await fc.assert(
        fc.asyncProperty(changesOf(ranges, bytes.length), (changes) => survives(changed(bytes, changes))),
        { numRuns: RUNS },
      );
      expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(known);
    },
    120_000 + RUNS * 100,
  );
});

it(
  'takes anything at all',
  async () => {
    const starts = [[], [0x08, 8, 0x12], [0x50, 0x4b, 3, 4], [0, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33], [2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]];
    const bytes = fc
      .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }))
      .map(([start, rest]) => Uint8Array.from([...start, ...rest]));
    await fc.assert(fc.asyncProperty(bytes, survives), { numRuns: RUNS * 5 });
  },
  120_000 + RUNS * 20,
);

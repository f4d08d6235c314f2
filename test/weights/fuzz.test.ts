import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { tfliteModel } from '../../scripts/tflite.mjs';
import { fuse } from '../../src/graph/fusion.js';
import { imageInput, inferShapes } from '../../src/graph/graph.js';
import { quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';
import { layersOf, modern, nestedArchive } from './keras-files.js';
import { writtenHdf5 } from './keras-writer.js';
import { changed, changesOf, RUNS, survives } from './mutation.js';
import { onnxModel } from './onnx-writer.js';
import { graphModel, jsonOf, layersModel } from './tfjs-writer.js';

// Every reader against files that were changed on their way. A few hundred inputs a reader here; npm run soak, 200,000.

const TFLITE = '../shared/models/v3-small-1.0-224-ptq-int8.tflite';

interface Subject {
  readonly name: string;
  readonly file: () => Promise<Uint8Array> | Uint8Array;
  /** Where its structure lies, in bytes from the start, and from the end as negative numbers. */
  readonly structure: readonly (readonly [number, number])[];
  /** Bytes of whatever file it names beside it. */
  readonly shard?: () => Uint8Array;
}

const small = { width: 0.25, classes: 3 } as const;
const network = () => randomNetwork('mobilenet_v3_small', { ...small, resolution: 32, padding: 'same' });
const SUBJECTS: readonly Subject[] = [
  ...[
    { name: "TensorFlow.js' graph models", write: graphModel },
    { name: "TensorFlow.js' layers models", write: layersModel },
  ].map(
    ({ name, write }): Subject => ({
      name,
      file: () => jsonOf(write(network())),
      structure: [[0, 400_000]],
      shard: () => write(network()).shard,
    }),
  ),
  {
    name: 'safetensors',
    file: () => writeSafetensors({ tensors: checkpoint('mobilenet_v3_small', small, 'timm'), metadata: {} }),
    structure: [[0, 16_000]],
  },
  {
    name: "this package's int8 files",
    file: async () => {
      const float = await localModel(fuse(randomNetwork('mobilenet_v3_small', { ...small, resolution: 32 })));
      const image = { data: pseudoRandom('x', 32 * 32 * 3), shape: [1, 32, 32, 3] } as const;
      return (await quantize(float, [image], { rounding: 'nearest' })).save();
    },
    structure: [[0, 30_000]],
  },
  {
    name: 'Keras',
    file: () => writtenHdf5((file) => modern(file, layersOf('mobilenet_v3_small', 0.25).layers)),
    // HDF5 keeps its structure at the front, between the first weights, and at the end.
    structure: [
      [0, 60_000],
      [-40_000, 0],
    ],
  },
  {
    name: 'Keras archives',
    file: () => nestedArchive(network()),
    // The layers' description, and then HDF5's structure.
    structure: [
      [0, 120_000],
      [-40_000, 0],
    ],
  },
  {
    name: 'PyTorch',
    file: () => new Uint8Array(readFileSync('test/golden/small.pth')),
    structure: [
      [0, 40_000],
      [-20_000, 0],
    ],
  },
  {
    name: 'ONNX with a file beside it',
    file: () => onnxModel(network(), 'external').file,
    structure: [[0, 40_000]],
    shard: () => onnxModel(network(), 'external').shard,
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

describe.each(SUBJECTS)('$name', ({ file, structure, shard }) => {
  it(
    'never hangs, never takes much memory, never fails without a type',
    async () => {
      const bytes = await file();
      const ranges = structure.map(
        ([from, to]) => [from < 0 ? bytes.length + from : from, to <= 0 ? bytes.length + to : Math.min(to, bytes.length)] as const,
      );
      const weights = shard?.();
      const beside = weights && (async () => weights);
      await survives(bytes, beside);
      const known = Object.getOwnPropertyNames(Object.prototype).length;
      await fc.assert(
        fc.asyncProperty(changesOf(ranges, bytes.length), (changes) => survives(changed(bytes, changes), beside)),
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
    await fc.assert(
      fc.asyncProperty(bytes, (file) => survives(file)),
      { numRuns: RUNS * 5 },
    );
  },
  120_000 + RUNS * 20,
);

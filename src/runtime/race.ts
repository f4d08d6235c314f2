import type { Engine } from '../engine/engine.js';
import type { ConvNode } from '../graph/graph.js';
import { type Packable, PackedNetwork } from './packed-network.js';
import { layOut } from './plan.js';
import type { TensorView } from './tensors.js';
import type { ChosenWay } from './way.js';

/** A layer like those that most time is spent in. */
const SIDE = 14;
const CHANNELS = 96;
/** Enough for an engine to hand the kernels to its optimizing tier. */
const ROUNDS = 40;
/** Of the rounds, those that are timed. */
const TIMED = 15;
/** A way must be faster by this much to take another's place: packing anew is not free. */
const MARGIN = 0.95;

const NODE: ConvNode = {
  kind: 'conv',
  name: 'out',
  inputs: ['in'],
  kernel: [1, 1],
  strides: [1, 1],
  padding: 'valid',
  inputChannels: CHANNELS,
  channels: CHANNELS,
  groups: 1,
  activation: 'none',
};
const WEIGHTS = {
  filter: Int8Array.from({ length: CHANNELS * CHANNELS }, (_, i) => ((i * 37) % 255) - 127),
  scale: new Float32Array(CHANNELS).fill(1e-3),
  zeroPoint: 0,
  bias: new Int32Array(CHANNELS),
};

/** That layer, with lanes of `bits` bits. */
function layerOf(bits: 8 | 16): Packable {
  const high = 2 ** (bits - 1) - 1;
  const lanes = { scale: 1, low: -high, high };
  return {
    graph: { nodes: [NODE] },
    lanes: new Map([
      ['in', lanes],
      ['out', lanes],
    ]),
    weights: new Map([['out', WEIGHTS]]),
  };
}

interface Finish {
  /** The shortest round, once the code is optimized. */
  readonly milliseconds: number;
  /** Whether the results were those of the first way, bit for bit. */
  readonly isRight: boolean;
}

/** Several ways in turn, on that layer. */
function race(engine: Engine, ways: readonly ChosenWay[], bits: 8 | 16): Finish[] {
  const network = layerOf(bits);
  const mark = engine.mark();
  try {
    const programs = ways.map(({ arithmetics }) => {
      const { lanes } = arithmetics;
      const packed = new PackedNetwork(engine, network, arithmetics);
      const input = { name: 'in', shape: [SIDE, SIDE, CHANNELS] as const, arithmetic: lanes };
      return layOut(packed, [input], [{ name: 'out', arithmetic: lanes }]);
    });
    const high = 2 ** (bits - 1) - 1;
    const values = Int16Array.from({ length: SIDE * SIDE * CHANNELS }, (_, i) => ((i * 7919) % (2 * high + 1)) - high);
    const times = programs.map(() => Number.POSITIVE_INFINITY);
    for (const { inputs } of programs) engine.shorts((inputs[0] as TensorView).pointer, values.length).set(values);
    for (let round = 0; round < ROUNDS; round++) {
      programs.forEach(({ pointer, instructions }, i) => {
        const start = performance.now();
        engine.exports.execute(pointer, instructions, 0, 1);
        if (round >= ROUNDS - TIMED) times[i] = Math.min(times[i] as number, performance.now() - start);
      });
    }
    const results = programs.map(({ outputs }) => engine.shorts((outputs[0] as TensorView).pointer, values.length));
    const [expected] = results as [Int16Array];
    return results.map((result, i) => ({ milliseconds: times[i] as number, isRight: result.every((x, j) => x === expected[j]) }));
  } finally {
    engine.release(mark);
  }
}

/** The fastest of several ways here and now for lanes of `bits` bits, told by time. The first wins what is close, and against what is wrong. */
export function fastest(engine: Engine, ways: readonly [ChosenWay, ...ChosenWay[]], bits: 8 | 16): ChosenWay {
  const finishes = race(engine, ways, bits);
  const time = (i: number) => (finishes[i] as Finish).milliseconds;
  let winner = 0;
  for (let i = 1; i < ways.length; i++) if (finishes[i]?.isRight && time(i) < time(winner) * MARGIN) winner = i;
  return ways[winner] as ChosenWay;
}

/** Whether `way` gives what `trusted` gives, once the engine has optimized both. */
export const agrees = (engine: Engine, trusted: ChosenWay, way: ChosenWay, bits: 8 | 16): boolean =>
  race(engine, [trusted, way], bits).every(({ isRight }) => isRight);

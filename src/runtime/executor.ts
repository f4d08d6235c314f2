import { Engine, type Simd } from '../engine/engine.js';
import { INSTRUCTION_BYTES } from '../engine/instruction.js';
import { ShapeError } from '../errors.js';
import type { Lanes } from '../graph/lanes.js';
import type { Network } from '../graph/network.js';
import { createPlan, PackedNetwork, type Plan, type TensorView } from './plan.js';

const SMALLEST = 32;
const LARGEST = 512;
/** Plans kept, one an input size; when there are more, all are made anew. */
const PLANS = 8;

export interface RuntimeOptions {
  readonly simd?: Simd;
  readonly threads?: number | 'auto';
}

export interface LayerTiming {
  readonly name: string;
  readonly kind: string;
  readonly madds: number;
  readonly milliseconds: number;
  /** Multiply-adds a nanosecond. */
  readonly gmacsPerSecond: number;
}

/** A tensor seen while a network runs: values lie at pointer + y * rowStride + x * pixelStride, float32, in bytes. */
export type Observer = (tensor: TensorView & { readonly lanes?: Lanes }, memory: WebAssembly.Memory) => void;

/** Runs a network: packs its weights into an engine, plans per input size, executes. One inference at a time. */
export class Executor {
  private readonly plans = new Map<string, Plan>();
  private readonly mark: number;

  private constructor(
    readonly engine: Engine,
    private readonly packed: PackedNetwork,
    private readonly network: Network,
  ) {
    this.mark = engine.mark();
  }

  static async create(network: Network, { simd, threads }: RuntimeOptions = {}): Promise<Executor> {
    const engine = await Engine.create(simd, threads);
    try {
      return new Executor(engine, new PackedNetwork(engine, network), network);
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  dispose(): void {
    this.engine.dispose();
  }

  /** The plan for an input of height x width; made on first use. */
  plan(height: number, width: number): Plan {
    const key = `${height}x${width}`;
    let plan = this.plans.get(key);
    if (!plan) {
      if (![height, width].every((side) => Number.isInteger(side) && side >= SMALLEST && side <= LARGEST)) {
        throw new ShapeError(`an input of ${height}x${width} pixels cannot be; both sides are to lie between ${SMALLEST} and ${LARGEST}.`);
      }
      if (this.plans.size === PLANS) {
        this.plans.clear();
        this.engine.release(this.mark);
      }
      plan = createPlan(this.packed, this.network, height, width);
      this.plans.set(key, plan);
    }
    return plan;
  }

  /** The plan's input, to be filled: [height, width, 3] float32. Valid until memory grows, so ask anew each time. */
  input(plan: Plan): Float32Array {
    return this.engine.floats(plan.input.pointer, plan.height * plan.width * 3);
  }

  /** Runs what lies in the input. */
  run(plan: Plan): void {
    this.engine.run(plan.program, plan.instructions);
  }

  /** A result of the last run; a view that the next run overwrites. */
  output(view: TensorView): Float32Array {
    return this.engine.floats(view.pointer, view.shape[2]);
  }

  /** Runs, showing every node's tensor to `observe` as soon as it is there. */
  observe(plan: Plan, observe: Observer): void {
    const { engine } = this;
    observe(plan.input, engine.memory);
    for (const step of plan.steps) {
      engine.run(plan.program + step.first * INSTRUCTION_BYTES, step.count);
      if (step.output) observe(step.output, engine.memory);
    }
  }

  /** Times each node on what lies in the input: the median of `rounds` runs. */
  profile(plan: Plan, rounds = 9): LayerTiming[] {
    const times = plan.steps.map(() => [] as number[]);
    const input = this.input(plan).slice();
    for (let round = 0; round < rounds; round++) {
      this.input(plan).set(input); // its memory serves later layers too
      plan.steps.forEach((step, i) => {
        const start = performance.now();
        this.engine.run(plan.program + step.first * INSTRUCTION_BYTES, step.count);
        times[i]?.push(performance.now() - start);
      });
    }
    return plan.steps.map(({ name, kind, madds }, i) => {
      const milliseconds = (times[i] as number[]).sort((a, b) => a - b)[rounds >> 1] as number;
      return { name, kind, madds, milliseconds, gmacsPerSecond: milliseconds === 0 ? 0 : madds / milliseconds / 1e6 };
    });
  }
}

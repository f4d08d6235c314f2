import platform from '#platform';
import { throwIfAborted } from '../abort.js';
import { Engine } from '../engine/engine.js';
import { INSTRUCTION_BYTES } from '../engine/instruction.js';
import type { StartThread } from '../engine/threads/pool.js';
import type { Simd } from '../engine/variants.js';
import { ShapeError } from '../errors.js';
import type { Network } from '../graph/network.js';
import { framed, isFramed } from '../image/framing.js';
import { checkPixels, isPixels, isTensor } from '../image/pixels.js';
import { preprocess } from '../image/preprocess.js';
import type { Framing, ModelInput, Pixels, Tensor } from '../inputs.js';
import { PackedNetwork } from './packed-network.js';
import { createPlan, type Plan } from './plan.js';
import type { TensorView } from './tensors.js';
import { type ChosenWay, firstWay, type Kernels, rivalsOf, type WayName } from './way.js';

const SMALLEST = 32;
const LARGEST = 512;
/** Plans kept, one an input size; when there are more, all are made anew. */
const PLANS = 8;
/** Inferences after which a way that depends on the engine's optimizing tier is shown to it. */
const WARM_AFTER = 5;
/** What a background thread of the engine may need to optimize the kernels of a way, until it is looked at again. */
const OPTIMIZED_MILLISECONDS = 150;

export interface RuntimeOptions {
  readonly simd?: Simd;
  readonly threads?: number | 'auto';
  /** How sums of int8 networks are computed; 'auto' takes the fastest way here. All give the same bits. */
  readonly kernels?: Kernels;
  /** How helping threads start; the platform's own way where it is left out. */
  readonly startThread?: StartThread;
}

export interface LayerTiming {
  readonly name: string;
  readonly kind: string;
  readonly madds: number;
  readonly milliseconds: number;
  /** Multiply-adds a nanosecond. */
  readonly gmacsPerSecond: number;
}

export interface DecodeOptions extends Framing {
  readonly signal?: AbortSignal;
}

type Integers = typeof import('./integers.js');

/** Sees a tensor while a network runs. */
export type Observer = (tensor: TensorView, memory: WebAssembly.Memory) => void;

/** A network on an engine: packs its weights, plans per input size, runs. One inference at a time. */
export class Session {
  private readonly plans = new Map<string, Plan>();
  /** Where the weights begin in the engine's memory, and where they end. */
  private start: number;
  private mark = 0;
  private packed!: PackedNetwork;
  private inferences = 0;
  private readonly rivals: readonly ChosenWay[];
  /** Whether reconsider() is still to come, and when the engine saw the ways that it chooses from. */
  private isDue: boolean;
  private warmedAt: number | undefined;

  private constructor(
    readonly network: Network,
    readonly options: RuntimeOptions,
    private ownEngine: Engine,
    private way: ChosenWay,
    private readonly integers: Integers | undefined,
  ) {
    this.start = ownEngine.mark();
    this.rivals = integers && this.isOpen ? rivalsOf(ownEngine, way, integers) : [];
    this.isDue = integers !== undefined && (this.rivals.length > 0 || way.turn === 'later');
    this.pack(way);
  }

  static async create(network: Network, options: RuntimeOptions = {}): Promise<Session> {
    const loading = network.lanes.size > 0 ? import('./integers.js') : undefined;
    const engine = await Engine.create(options.simd, options.threads, options.startThread);
    try {
      const integers = await loading;
      return new Session(network, options, engine, firstWay(engine, options.kernels, integers), integers);
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  get engine(): Engine {
    return this.ownEngine;
  }

  dispose(): void {
    this.engine.dispose();
  }

  /** How sums of lanes are computed now. */
  get kernels(): WayName {
    return this.way.name;
  }

  private pack(way: ChosenWay): void {
    this.way = way;
    this.plans.clear();
    this.engine.release(this.start);
    this.packed = new PackedNetwork(this.engine, this.network, way.arithmetics);
    this.mark = this.engine.mark();
  }

  /** Whether the caller leaves the way to us. */
  private get isOpen(): boolean {
    return (this.options.kernels ?? 'auto') === 'auto';
  }

  /**
   * Once an engine's optimizing tier has compiled the kernels, another way may be the fastest, and one that was right may be wrong. The
   * way that every engine has right decides what the bits are. Called once, it shows the engine what to optimize, later it decides.
   */
  private reconsider(integers: Integers): void {
    if (this.warmedAt !== undefined && performance.now() - this.warmedAt < OPTIMIZED_MILLISECONDS) return;
    const lanes = [...this.network.lanes.values()];
    const bits = lanes.filter(({ low, high }) => high - low <= 255).length > lanes.length / 2 ? 8 : 16;
    const trusted = firstWay(this.engine, 'auto', integers);
    const isKept = () => integers.agrees(this.engine, trusted, this.way, bits);
    const winner = this.isOpen ? integers.fastest(this.engine, [trusted, ...this.rivals], bits) : isKept() ? this.way : trusted;
    if (this.warmedAt === undefined) {
      this.warmedAt = performance.now();
      return;
    }
    this.isDue = false;
    if (winner.name !== this.way.name) this.pack(winner);
  }

  /** The plan for an input of height x width; made on first use. Valid until the next call. */
  plan(height: number, width: number): Plan {
    if (this.isDue && this.integers && this.inferences >= WARM_AFTER) this.reconsider(this.integers);
    const key = `${height}x${width}`;
    let plan = this.plans.get(key);
    if (!plan) {
      if (![height, width].every((side) => Number.isInteger(side) && side >= SMALLEST && side <= LARGEST)) {
        throw new ShapeError(`an input's height and width must be whole numbers from ${SMALLEST} to ${LARGEST}; got ${height}x${width}.`);
      }
      if (this.plans.size === PLANS) {
        this.plans.clear();
        this.engine.release(this.mark);
      }
      plan = createPlan(this.packed, this.network.graph, height, width);
      this.plans.set(key, plan);
    }
    return plan;
  }

  /** What takes time and no memory of the engine's; put() and run() then follow each other undisturbed. */
  async decode(input: ModelInput, { signal, ...framing }: DecodeOptions = {}): Promise<Pixels | Tensor> {
    throwIfAborted(signal);
    if (isTensor(input)) {
      if (isFramed(framing)) throw new ShapeError('regionOfInterest and rotationDegrees are for images; a tensor is taken as it is.');
      return input;
    }
    const pixels = isPixels(input) ? checkPixels(input) : await platform.decodeImage(input, signal);
    throwIfAborted(signal);
    return framed(pixels, framing);
  }

  /** Puts one input into the plan for its size. */
  put(input: Pixels | Tensor): Plan {
    if (isTensor(input)) {
      checkInput(input);
      if (input.shape[0] !== 1) throw new ShapeError(`expected a batch of 1; got ${input.shape[0]}.`);
      const plan = this.plan(input.shape[1], input.shape[2]);
      this.input(plan).set(input.data);
      return plan;
    }
    const { resolution } = this.network.graph;
    const plan = this.plan(resolution, resolution);
    preprocess(this.engine, input, plan.input.pointer, plan.height, plan.width, this.network.preprocessing);
    return plan;
  }

  /** The plan's input, to be filled: [height, width, 3] float32. Valid until memory grows, so ask anew each time. */
  input(plan: Plan): Float32Array {
    return this.engine.floats(plan.input.pointer, plan.height * plan.width * 3);
  }

  /**
   * One inference: fills the input of a plan, and runs it. Where helping threads stay away, it is done anew on the calling thread,
   * on a memory that no late helper writes to.
   */
  infer(fill: () => Plan): Plan {
    this.inferences++;
    const plan = fill();
    if (this.engine.run(plan.pointer, plan.instructions)) return plan;
    this.leaveHelpers();
    const again = fill();
    this.engine.runAlone(again.pointer, again.instructions);
    return again;
  }

  private leaveHelpers(): void {
    this.ownEngine = this.engine.alone();
    this.start = this.engine.mark();
    this.pack(this.way);
  }

  /** A result of the last run; a view that the next run overwrites. */
  output(view: TensorView): Float32Array {
    return this.engine.floats(view.pointer, view.shape[2]);
  }

  /** Runs on the calling thread, showing every node's tensor to `observe` as soon as it is there. */
  observe(plan: Plan, observe: Observer): void {
    const { engine } = this;
    observe(plan.input, engine.memory);
    for (const { first, count, output } of plan.steps) {
      engine.runAlone(plan.pointer + first * INSTRUCTION_BYTES, count);
      if (output) observe(output, engine.memory);
    }
  }

  /** Times each step of the plan that `fill` fills: the median of `rounds` runs. Helping threads that stay away are left. */
  profile(fill: () => Plan, rounds = 9, clock = () => performance.now()): LayerTiming[] {
    const timings = this.timings(fill(), rounds, clock);
    if (timings) return timings;
    this.leaveHelpers();
    return this.timings(fill(), rounds, clock) as LayerTiming[];
  }

  /** Undefined where helping threads stayed away. */
  private timings(plan: Plan, rounds: number, clock: () => number): LayerTiming[] | undefined {
    const times = plan.steps.map(() => [] as number[]);
    const input = this.input(plan).slice();
    for (let round = 0; round < rounds; round++) {
      this.input(plan).set(input); // its memory serves later layers too
      for (const [i, { first, count }] of plan.steps.entries()) {
        const start = clock();
        if (!this.engine.run(plan.pointer + first * INSTRUCTION_BYTES, count)) return undefined;
        times[i]?.push(clock() - start);
      }
    }
    return plan.steps.map(({ name, kind, madds }, i) => {
      const milliseconds = (times[i] as number[]).sort((a, b) => a - b)[rounds >> 1] as number;
      return { name, kind, madds, milliseconds, gmacsPerSecond: milliseconds === 0 ? 0 : madds / milliseconds / 1e6 };
    });
  }
}

/** @throws ShapeError for anything but [n, height, width, 3] and as many values */
export function checkInput({ data, shape }: Tensor): void {
  const [n, height, width, channels] = shape;
  if (shape.length !== 4 || channels !== 3 || !Number.isInteger(n) || n < 1) {
    throw new ShapeError(`an input's shape must be [n, height, width, 3] with n above 0; got [${shape}].`);
  }
  if (data.length !== n * height * width * channels) {
    throw new ShapeError(`shape [${shape}] needs ${n * height * width * channels} values; got ${data.length}.`);
  }
}

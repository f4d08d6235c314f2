// Runs tests with one mutant on: only those that reach it, and of their cases only those.

/** A mutant that takes this many times the steps of the sources as they are, and some, does not end. */
const PATIENCE = 3;
const SPARE_STEPS = 1e6;
const MOST_STEPS = 2 ** 31 - 1;

/** What the tests run on, and what they reach there. */
export class Bench {
  /** The mutant that is on; 0 is none. */
  mutant = 0;
  steps = MOST_STEPS;
  /** Of mutated modules, made since the present test began. */
  instances = [];
  isRecording = false;
  /** Of the present test: for each list of cases that it goes through, what each case reaches. */
  lists = [];
  nextList = 0;

  /** @param count of mutants, with number 0 */
  constructor(count) {
    this.count = count;
    const bench = this;
    WebAssembly.Instance = class extends WebAssembly.Instance {
      constructor(module, imports) {
        super(module, imports);
        if (this.exports.mutant) bench.adopt(this.exports, imports.env.memory);
      }
    };
  }

  adopt(exports, memory) {
    exports.mutant.value = this.mutant;
    exports.steps.value = this.steps;
    this.instances.push({ memory, steps: exports.steps, seen: exports.placesSeen() });
  }

  /** What was reached since the last time. */
  reached() {
    const all = new Uint8Array(this.count);
    for (const { memory, seen } of this.instances) {
      const places = new Uint8Array(memory.buffer, seen, this.count);
      for (let i = 0; i < all.length; i++) all[i] |= places[i];
      places.fill(0);
    }
    return all;
  }

  /** In place of the tests' own: see test/kernels/select.ts. */
  *select(cases) {
    const list = this.nextList++;
    if (this.isRecording) {
      const outside = this.reached();
      this.lists.push([]);
      for (const each of cases) {
        yield each;
        this.lists[list].push(this.reached());
      }
      this.lists.outside = merge(this.lists.outside ?? new Uint8Array(this.count), outside);
    } else {
      for (let i = 0; i < cases.length; i++) if (this.lists[list][i][this.mutant]) yield cases[i];
    }
  }

  async run({ before, body }, lists) {
    Object.assign(this, { instances: [], lists, nextList: 0 });
    for (const hook of before) await hook();
    await body();
  }

  /** Once as the sources are: notes what a test reaches, and its steps and time. */
  async record(test) {
    const start = performance.now();
    Object.assign(this, { mutant: 0, steps: MOST_STEPS, isRecording: true });
    test.lists = [];
    await this.run(test, test.lists);
    test.reaches = test.lists.flat().reduce(merge, merge(this.reached(), test.lists.outside ?? []));
    const most = Math.max(0, ...this.instances.map(({ steps }) => MOST_STEPS - steps.value));
    test.steps = Math.min(MOST_STEPS, most * PATIENCE + SPARE_STEPS);
    test.milliseconds = performance.now() - start;
    this.isRecording = false;
  }

  /** @returns whether the test fails with this mutant on */
  async kills(test, mutant) {
    Object.assign(this, { mutant, steps: test.steps });
    try {
      await this.run(test, test.lists);
      return false;
    } catch {
      return true;
    }
  }
}

function merge(all, more) {
  for (let i = 0; i < more.length; i++) all[i] |= more[i];
  return all;
}

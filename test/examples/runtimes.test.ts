import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { fuse } from '../../src/graph/fusion.js';
import type { Tensor } from '../../src/inputs.js';
import { quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { random, randomNetwork, uniform } from '../random-network.js';
import { BUN, DENO, EXAMPLES, record, start, WORKERD } from './example.js';

// The networks of the conformance test (test/browsers/engines.test.ts), in runtimes that are neither browsers nor Node.

interface Run {
  readonly file: string;
  readonly name: string;
  readonly lacks?: string;
  readonly got?: { readonly threads: number; readonly worker: boolean; readonly simd: string };
  readonly logits?: number[];
}

let folder: string;
const files = new Map<string, Uint8Array>();
const expected = new Map<string, number[]>();

beforeAll(async () => {
  // Outside the repository, whose tsconfig.json Bun would take for the package's own.
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-runtimes-'));
  symlinkSync(join(EXAMPLES, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', dependencies: { 'mobilenet-v3-wasm': '*' } })); // Deno asks for it
  for (const name of ['conform.mjs', 'conform-process.mjs', 'conform-workerd.mjs']) {
    copyFileSync(resolve('test/examples', name), join(folder, name));
  }
  const input: Tensor = { data: uniform(random(5), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] };
  files.set('input', new Uint8Array(input.data.buffer));
  for (const size of ['small', 'large'] as const) {
    const float = await localModel(fuse(randomNetwork(`mobilenet_v3_${size}`, { classes: 31, width: 0.5, resolution: 64 })));
    const int8 = await quantize(float, [input], { rounding: 'nearest' });
    for (const model of [float, int8]) {
      files.set(`${size}-${model.precision}`, model.save());
      expected.set(`${size}-${model.precision}`, [...(await model.predict(input))]);
    }
  }
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The largest difference in units of the expected values' standard deviation. */
function difference(actual: readonly number[], wanted: readonly number[]): number {
  expect(actual).toHaveLength(wanted.length);
  const mean = wanted.reduce((sum, x) => sum + x, 0) / wanted.length;
  const spread = Math.sqrt(wanted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / wanted.length);
  return Math.max(...actual.map((x, i) => Math.abs(x - (wanted[i] as number)))) / spread;
}

/** int8 has Node's bits, float32 is within 1e-4 of its spread. @returns what the table says */
function check(runs: readonly Run[], count: number): string {
  expect(runs).toHaveLength(4 * count);
  let worst = 0;
  for (const { file, name, logits, lacks } of runs) {
    if (lacks !== undefined) continue; // planes, where no exact dot product is to be had
    const wanted = expected.get(file) as number[];
    if (file.endsWith('int8')) expect([name, logits]).toEqual([name, wanted]);
    else worst = Math.max(worst, difference(logits as number[], wanted));
  }
  expect(worst).toBeLessThan(1e-4);
  const ways = runs.filter(({ lacks }) => lacks === undefined).length;
  return `${ways} runs of 4 networks: int8 has Node's bits, float32 differs by ${worst === 0 ? 'nothing' : worst.toExponential(1)}`;
}

const PROCESSES = [
  { runtime: 'Deno', program: DENO, args: ['run', '--allow-read', '--allow-env', '--allow-sys'] },
  { runtime: 'Bun', program: BUN, args: [] },
];
/** Two threads on a machine that others use as well wait for each other. */
const PATIENCE = 300_000;
for (const { runtime, program, args } of PROCESSES) {
  (program ? it : it.skip)(
    `${runtime} gives what Node gives, with threads and workers`,
    async () => {
      const started = performance.now();
      const running = start(program, [...args, join(folder, 'conform-process.mjs')], folder);
      const [, json] = (await running.line(/^result (.*)$/)) as unknown as [string, string];
      await running.stop();
      const runs = JSON.parse(json) as Run[];
      const seen = check(runs, 2 * (4 + 3));
      for (const { name, got } of runs) {
        if (name.includes('2 threads')) expect(got).toMatchObject({ threads: 2, worker: name.includes('worker') });
      }
      record(`conformance in ${runtime}`, seen, started);
    },
    PATIENCE,
  );
}

(WORKERD ? it : it.skip)('workerd gives what Node gives, by kernels that it has compiled', async () => {
  const started = performance.now();
  const out = join(folder, 'workerd');
  mkdirSync(out);
  await build({
    entryPoints: [join(folder, 'conform-workerd.mjs')],
    outfile: join(out, 'worker.js'),
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    tsconfigRaw: '{}',
    plugins: [
      {
        name: 'runtime-modules',
        setup: ({ onResolve }) => onResolve({ filter: /\.(wasm|data)$/ }, ({ path }) => ({ path: basename(path), external: true })),
      },
    ],
  });
  for (const name of ['baseline', 'relaxed']) {
    copyFileSync(join(EXAMPLES, `node_modules/mobilenet-v3-wasm-standalone/${name}.wasm`), join(out, `${name}.wasm`));
  }
  for (const [name, bytes] of files) writeFileSync(join(out, `${name}.data`), bytes);
  const data = [...files.keys()].map((name) => `(name = "${name}.data", data = embed "${name}.data"),`).join('\n');
  writeFileSync(
    join(out, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .conform)],
  sockets = [(name = "http", http = (), service = "main")],
);
const conform :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "baseline.wasm", wasm = embed "baseline.wasm"),
    (name = "relaxed.wasm", wasm = embed "relaxed.wasm"),
    ${data}
  ],
  compatibilityDate = "2026-11-01",
);`,
  );
  const running = start(WORKERD, ['serve', 'config.capnp', '--verbose', '--control-fd=1', '--socket-addr=http=127.0.0.1:0'], out);
  try {
    const [, port] = (await running.line(/"event":"listen".*"port":(\d+)/)) as unknown as [string, string];
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(200);
    record('conformance in workerd', check((await response.json()) as Run[], 5), started);
  } finally {
    await running.stop();
  }
});

// npm run bench:quantization [-- --only 'small nips2017'] [--drawn DIR]: what int8 makes of networks, on sets of images. Each row
// goes into results/quantization.json, and with all others into the tables of docs/quantization.md. What lies outside of
// this repository is skipped, visibly.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  calibrateOn,
  calibrationFiles,
  cheapest,
  frontier,
  Images,
  ladder,
  listLabelled,
  load,
  quantizeOn,
  quantizeWith,
  SCHEMES,
  sessionOf,
  tensorCosts,
  writeOnnx,
  writeTflite,
} from '../build/internals-node.js';
import { loadLiteRt } from './arm/litert.mjs';
import { litert } from './contenders/litert.mjs';
import { onnxruntime } from './contenders/onnxruntime.mjs';
import { root } from './prepare.mjs';
import { writeTables } from './quantization-tables.mjs';

const FILE = join(root, 'bench/results/quantization.json');
const CALIBRATION = 100;
const { only, drawn, limit } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    drawn: { type: 'string', default: 'training/build/more' },
    limit: { type: 'string', default: '1000000' },
  },
}).values;

const TRUE_FLOAT = {
  network: 'V3-Small of TF-Hub',
  weights: '../shared/models/v3-small-1.0-224-float.safetensors',
  calibration: '../shared/imagenet/calibration',
};
const OURS = ['small', 'large'].map((size) => ({
  network: `V3-${size[0].toUpperCase()}${size.slice(1)}, drawn pictures`,
  weights: `checkpoints/mobilenet_v3_${size}.safetensors`,
  calibration: 'images/calibration',
}));
const ROWS = [
  ...['validation', 'nips2017'].map((set) => ({ ...TRUE_FLOAT, set, images: `../shared/imagenet/${set}`, schemes: Object.keys(SCHEMES) })),
  ...OURS.map((ours) => ({ ...ours, set: 'more', images: drawn, schemes: ['best', 'eight'] })),
  { ...TRUE_FLOAT, set: 'validation', images: '../shared/imagenet/validation', schemes: ['best', 'eight'], exports: true },
  { ...TRUE_FLOAT, set: 'nips2017', images: '../shared/imagenet/nips2017', schemes: [], budgets: [0.96, 0.97, 0.98, 0.99] },
  { ...TRUE_FLOAT, set: 'calibration', images: TRUE_FLOAT.calibration, vectors: true },
  { network: 'V3-Small and -Large', set: 'calibration', images: 'images/calibration', times: true },
].map((row) => ({
  ...row,
  name: `${['exports', 'budgets', 'vectors', 'times'].find((kind) => row[kind]) ?? 'ladder'} ${row.network} ${row.set}`,
}));

const words = only
  .toLowerCase()
  .split(/[\s,]+/)
  .filter(Boolean);
const wanted = ROWS.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
const results = new Map(existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')).map((row) => [row.name, row]) : []);
const common = { threads: 1, simd: 'auto' };
const networks = new Map();

/** Seconds of quantizing from images in files, on one thread, as the command line does it. */
async function timed() {
  const times = [];
  for (const { network, weights, calibration } of OURS) {
    const files = await calibrationFiles(resolve(root, calibration), CALIBRATION);
    for (const activations of [16, 8]) {
      const float = await load(resolve(root, weights), 'float32', common);
      const start = performance.now();
      const int8 = await quantizeOn(float, files, { activations });
      times.push({ network, activations, images: files.length, seconds: (performance.now() - start) / 1000 });
      for (const model of [float, int8]) model.dispose();
    }
  }
  return times;
}

const keep = (row, found) => {
  const date = new Date().toISOString().slice(0, 10);
  results.set(row.name, {
    name: row.name,
    network: row.network,
    set: row.set,
    ...found,
    date,
    machine: `${cpus()[0].model}, Node ${process.version}`,
  });
  mkdirSync(dirname(FILE), { recursive: true });
  const ordered = ROWS.flatMap((each) => results.get(each.name) ?? []);
  writeFileSync(FILE, `${JSON.stringify(ordered, null, 1)}\n`);
  console.log(JSON.stringify(results.get(row.name), null, 1));
};

for (const row of wanted) {
  if (row.times) {
    keep(row, { times: await timed() });
    continue;
  }
  const missing = [row.weights, row.calibration, row.images].map((path) => resolve(root, path)).find((path) => !existsSync(path));
  if (missing) {
    console.log(`skipped: ${row.name}; ${missing} is not here`);
    continue;
  }
  const network = await networkOf(row);
  const { float, files, seen } = network;
  const models = new Map();
  const costs = (scheme) => tensorCosts(sessionOf(float).network, seen, scheme);
  if (row.vectors) {
    const narrow = new Set((await costs(SCHEMES.eight)).tensors.map(({ name }) => name));
    const { tensors } = await costs({ ...SCHEMES.eight, wideVectors: false });
    keep(row, { vectors: tensors.filter(({ name }) => !narrow.has(name)) });
    continue;
  }
  const bits = row.budgets && (await costs(SCHEMES.eight));
  const points = bits && frontier(bits);
  const chosen = new Map(row.budgets?.map((budget) => [`${budget * 100} %`, cheapest(points, budget)]));
  for (const [name, { wide }] of chosen) models.set(name, await quantizeWith(float, seen, { ...SCHEMES.eight, wide: new Set(wide) }));
  for (const scheme of row.schemes) models.set(scheme, await byScheme(network, scheme));
  const labelled = await listLabelled(resolve(root, row.images), float, Number(limit));
  const facts = { images: labelled.length, calibration: files.length };
  const found = row.exports ? { exports: await exported(models, labelled, float) } : await climbed(models, labelled, float);
  if (bits) Object.assign(found, { tensors: bits.tensors, budgets: Object.fromEntries(chosen), all: points.at(-1).cycles });
  keep(row, { ...facts, ...found });
}
writeTables([...results.values()]);

/** Rows of the same weights share the network, what calibration saw of it, and what schemes made of it. */
async function networkOf({ weights, calibration }) {
  const known = networks.get(weights);
  if (known) return known;
  const float = await load(resolve(root, weights), 'float32', common);
  const files = await calibrationFiles(resolve(root, calibration), CALIBRATION);
  const network = { float, files, seen: await calibrateOn(float, files, true), made: new Map() };
  networks.set(weights, network);
  return network;
}

async function byScheme({ float, seen, made }, scheme) {
  if (!made.has(scheme)) made.set(scheme, await quantizeWith(float, seen, SCHEMES[scheme]));
  return made.get(scheme);
}

async function climbed(models, labelled, float) {
  return { rungs: await ladder(float, models, new Images(float).labelled(labelled)) };
}

/** Each file that can be written, in the other runtime, against our own run of the same network. */
async function exported(models, labelled, float) {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const lite = await loadLiteRt();
  const blank = new Float32Array(224 * 224 * 3);
  const runs = [];
  for (const [scheme, model] of models) {
    const { network } = sessionOf(model);
    runs.push({ scheme, model, format: '.onnx', runtime: 'onnxruntime', with: (x) => onnxruntime(ort, '', writeOnnx(network), 224, x) });
    if (scheme === 'best')
      runs.push({ scheme, model, format: '.tflite', runtime: 'LiteRT.js', with: (x) => litert(lite, '', writeTflite(network), 224, x) });
  }
  for (const run of runs) Object.assign(run, { theirs: await run.with(blank), same: 0, signal: 0, noise: 0 });
  let images = 0;
  for await (const { image } of new Images(float).labelled(labelled)) {
    images++;
    for (const run of runs) {
      const ours = await run.model.logits(image);
      const theirs = await run.theirs.run(image.data);
      if (best(ours) === best(theirs)) run.same++;
      const mean = ours.reduce((sum, value) => sum + value, 0) / ours.length;
      ours.forEach((value, i) => {
        run.signal += (value - mean) ** 2;
        run.noise += (value - theirs[i]) ** 2;
      });
    }
  }
  for (const { theirs } of runs) theirs.dispose();
  return runs.map(({ scheme, format, runtime, same, signal, noise }) => ({
    scheme,
    format,
    runtime,
    same: same / images,
    sqnrDb: 10 * Math.log10(signal / noise),
  }));
}

function best(values) {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[at]) at = i;
  return at;
}

// Top-1 of the ablation's networks, in float32 and int8, on the held-out pictures: writes training/ablation.json.
//
//     npm run fresh && node training/ablation.mjs [training/build [NETWORK...]]
//
// Where networks are named, the rows of the others are kept as they are in the file.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildTable,
  calibrate,
  fuse,
  IMAGENET_PREPROCESSING,
  localModel,
  NETWORKS,
  quantizeWith,
  readSafetensors,
  SCHEMES,
  sessionOf,
  toFloat32,
} from '../build/internals.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const [work = join(here, 'build'), ...named] = process.argv.slice(2);
const written = join(here, 'ablation.json');
const CROP = 112;
const CALIBRATION = 64;
// In the order of training/networks.py.
const ORDER = ['large', 'large-relu', 'large-swish', 'large-no-se', 'v2', 'small', 'mnasnet-a1', 'large-old-last-stage'];
const { mean, std } = IMAGENET_PREPROCESSING;

/** The numbers at the top of training/ablate.py. */
const setting = (pattern) => Number(pattern.exec(readFileSync(join(here, 'ablate.py'), 'utf8'))[1]);
const perClass = setting(/^HELD_OUT = (\d+)/m);
const steps = [...readFileSync(join(here, 'ablate.py'), 'utf8').matchAll(/steps=(\d+), rate/g)].reduce((sum, [, n]) => sum + Number(n), 0);

/** Pictures as numpy saves them: [count, frame, frame, 3] uint8. */
function pictures(file) {
  const bytes = readFileSync(file);
  const headerLength = bytes.readUInt16LE(8);
  const [count, frame] = /\((\d+), (\d+),/.exec(bytes.toString('latin1', 10, 10 + headerLength)).slice(1).map(Number);
  return { count, frame, pixels: bytes.subarray(10 + headerLength) };
}

/** The centre, normalised. */
function tensorOf({ frame, pixels }, index) {
  const data = new Float32Array(CROP * CROP * 3);
  const margin = (frame - CROP) >> 1;
  for (let y = 0, i = 0; y < CROP; y++) {
    const from = ((index * frame + y + margin) * frame + margin) * 3;
    for (let x = 0; x < CROP * 3; x++, i++) data[i] = (pixels[from + x] / 255 - mean[x % 3]) / std[x % 3];
  }
  return { data, shape: [1, CROP, CROP, 3] };
}

const argmax = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
async function top1(model, held) {
  let right = 0;
  for (let i = 0; i < held.count; i++) right += argmax(await model.predict(tensorOf(held, i))) === Math.floor(i / perClass);
  return right / held.count;
}

const held = pictures(join(work, `ablation-extra-128-1000000-${perClass}.npy`));
const seen = pictures(join(work, `ablation-train-128-200000-${setting(/frame=128, crop=112, per_class=(\d+)/)}.npy`));
const calibration = Array.from({ length: CALIBRATION }, (_, i) => tensorOf(seen, Math.floor((i * seen.count) / CALIBRATION)));
const classes = held.count / perClass;
const kept = named.length > 0 ? JSON.parse(readFileSync(written, 'utf8')).rows.filter(({ network }) => !named.includes(network)) : [];
const rows = [...kept];
for (const network of ORDER) {
  if (named.length > 0 && !named.includes(network)) continue;
  const file = join(work, `ablation-${network}.safetensors`);
  if (!existsSync(file)) {
    console.log(`${network}: not trained to its end, left out`);
    continue;
  }
  const tensors = readSafetensors(readFileSync(file)).tensors;
  const read = (name) => toFloat32(name, tensors.get(name)).slice();
  const graph = buildTable(network, NETWORKS[network].table, { resolution: CROP, classes });
  const weights = new Map();
  for (const { kind, name } of graph.nodes)
    if (kind === 'conv') weights.set(name, { filter: read(`${name}.filter`), bias: read(`${name}.bias`) });
  const model = await localModel(fuse({ graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING }));
  const calibrated = await calibrate(sessionOf(model), calibration, { histograms: true });
  const row = { network, float: await top1(model, held) };
  for (const [key, scheme] of [['int8', SCHEMES.best], ['perTensor', SCHEMES.perTensor]]) {
    const quantized = await quantizeWith(model, calibrated, scheme);
    row[key] = await top1(quantized, held);
    quantized.dispose();
  }
  model.dispose();
  rows.push(row);
  rows.sort((a, b) => ORDER.indexOf(a.network) - ORDER.indexOf(b.network));
  console.log(JSON.stringify(row));
  const result = { date: new Date().toISOString().slice(0, 10), classes, steps, batch: setting(/^BATCH = (\d+)/m), pictures: held.count, rows };
  writeFileSync(written, `${JSON.stringify(result, null, 1)}\n`);
}

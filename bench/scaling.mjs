// npm run bench:scaling: latency over width, resolution, batch and threads, as the paper's Figure 1 shows accuracy.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { buildGraph, fuse, IMAGENET_PREPROCESSING, localModel } from '../build/internals.js';
import { loadModel, quantize } from '../dist/index.js';
import { lineCharts } from './chart.mjs';
import { noise } from './contenders/index.mjs';
import { median } from './measure.mjs';
import { root } from './prepare.mjs';

const WIDTHS = [0.35, 0.5, 0.75, 1, 1.25];
const SIDES = [96, 128, 160, 192, 224, 256];
const BATCHES = [1, 2, 4, 8, 16, 32];
const THREADS = [...new Set([1, 2, cpus().length])];
const ROUNDS = 9;
const ROUND_MILLISECONDS = 60;

/** Latency does not depend on what the weights are: small noise. */
async function models(architecture, width, threads = 1) {
  const graph = buildGraph(architecture, { width });
  const weights = new Map();
  for (const node of graph.nodes) {
    if (node.kind !== 'conv') continue;
    const window = (node.kernel[0] * node.kernel[1] * node.inputChannels) / node.groups;
    const filter = noise(window * node.channels).map((x) => x / Math.sqrt(window));
    weights.set(node.name, { filter, bias: new Float32Array(node.channels) });
  }
  const network = fuse({ graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING });
  const made = await localModel(network);
  const float = await loadModel(made.save());
  made.dispose();
  const int8 = await quantize(float, [input(1, 64)], { rounding: 'nearest' });
  const loaded = await Promise.all([float, int8].map((model) => loadModel(model.save(), { threads })));
  float.dispose();
  int8.dispose();
  return loaded;
}

const input = (batch, side) => ({ data: noise(batch * side * side * 3), shape: [batch, side, side, 3] });

/** Medians of models that take turns. */
async function measured(contenders, x) {
  const times = contenders.map(() => []);
  for (const model of contenders) await model.predict(x);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, model] of contenders.entries()) {
      const start = performance.now();
      do {
        const at = performance.now();
        await model.predict(x);
        times[i].push(performance.now() - at);
      } while (performance.now() - start < ROUND_MILLISECONDS);
    }
  }
  return times.map(median);
}

const rows = [];
for (const architecture of ['mobilenet_v3_small', 'mobilenet_v3_large']) {
  const add = async (chart, at, contenders, x) => {
    const medians = await measured(contenders, x);
    for (const [i, { precision }] of contenders.entries()) {
      rows.push({ chart, network: architecture.replace('mobilenet_', ''), precision, at, milliseconds: medians[i] / x.shape[0] });
    }
    const text = contenders.map(({ precision }, i) => `${precision} ${(medians[i] / x.shape[0]).toFixed(2)} ms`).join(', ');
    console.log(`${architecture}, ${chart} ${at}: ${text} an image`);
  };
  for (const width of WIDTHS) {
    const contenders = await models(architecture, width);
    await add('width', width, contenders, input(1, 224));
    for (const model of contenders) model.dispose();
  }
  const contenders = await models(architecture, 1);
  for (const side of SIDES) await add('resolution', side, contenders, input(1, side));
  for (const batch of BATCHES) await add('batch', batch, contenders, input(batch, 224));
  for (const model of contenders) model.dispose();
  for (const threads of THREADS) {
    const threaded = await models(architecture, 1, threads);
    await add('threads', threads, threaded, input(1, 224));
    for (const model of threaded) model.dispose();
  }
}
const machine = `${cpus().length} cores of ${cpus()[0].model}, Node ${process.version}`;
const date = new Date().toISOString().slice(0, 10);
writeFileSync(join(root, 'bench/results/scaling.json'), `${JSON.stringify({ date, machine, rows }, null, 1)}\n`);
await lineCharts(join(root, 'bench/results/scaling.svg'), `Milliseconds an image, ${machine}, ${date}`, rows);

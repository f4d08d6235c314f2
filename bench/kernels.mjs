// npm run bench:kernels: every kernel on every shape of Small and Large, beside the engine's own peak in the same run.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { inferShapes, readNetwork } from '../build/internals.js';
import { loadModel } from '../dist/index.js';
import { writeDocs } from './docs.mjs';
import { kernelsTable, sharesOf } from './kernels-table.mjs';
import { peaks } from './peak/peak.mjs';
import { CHECKPOINTS, prepare, root } from './prepare.mjs';

/** The best of several profiles, each a median: what the kernel can do when nothing else runs. */
const PROFILES = 5;

/** Bytes that a node reads and writes at least once: operands, weights, result. */
function bytesMoved(node, shapes, elementBytes, weightBytes) {
  const size = (name) => shapes.get(name).reduce((product, side) => product * side, 1);
  const tensors = [...node.inputs, node.name].reduce((sum, name) => sum + size(name), 0) * elementBytes;
  const window = node.kind === 'conv' ? node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups) * node.channels : 0;
  return tensors + window * weightBytes;
}

async function profiled(folder, precision, simd) {
  const bytes = readFileSync(join(folder, `${precision}.safetensors`));
  const { graph } = await readNetwork(bytes, {});
  const shapes = inferShapes(graph.nodes, [['input', [graph.resolution, graph.resolution, 3]]]);
  const model = await loadModel(bytes, { simd });
  const best = new Map();
  for (let i = 0; i < PROFILES; i++) {
    for (const step of await model.profile()) {
      const key = `${step.name} ${step.kind}`;
      const before = best.get(key);
      if (!before || step.milliseconds < before.milliseconds) best.set(key, step);
    }
  }
  model.dispose();
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return [...best.values()].map((step) => {
    const node = nodes.get(step.name);
    const bytes = node ? bytesMoved(node, shapes, precision === 'int8' ? 2 : 4, precision === 'int8' ? 1 : 4) : 0;
    const shape = node ? shapes.get(node.inputs[0]).join('x') : '';
    const detail = node?.kind === 'conv' ? ` ${node.kernel.join('x')}/${node.strides[0]} to ${node.channels}` : '';
    return { name: step.name, kind: step.kind, shape: shape + detail, ms: step.milliseconds, madds: step.madds, bytes };
  });
}

const peak = await peaks();
const variants = ['baseline', ...(peak.f32_relaxed_madd ? ['relaxed'] : [])];
const peakOf = (precision, simd) =>
  precision === 'int8' ? peak.i16_dot_add : simd === 'relaxed' ? peak.f32_relaxed_madd : peak.f32_mul_add;
console.log('peak, GMAC/s with all operands in registers:');
for (const [name, value] of Object.entries(peak)) console.log(`  ${name.padEnd(20)} ${value.toFixed(1)}`);

const results = [];
for (const checkpoint of CHECKPOINTS) {
  const folder = await prepare(checkpoint);
  for (const simd of variants) {
    for (const precision of ['float32', 'int8']) {
      const top = peakOf(precision, simd);
      const steps = await profiled(folder, precision, simd);
      const table = new Table({
        head: ['layer', 'kernel', 'input and window', 'ms', 'GMAC/s', 'of peak', 'MB', 'GB/s'],
        style: { head: [] },
      });
      for (const { name, kind, shape, ms, madds, bytes } of steps) {
        const rate = madds / ms / 1e6;
        const share = madds > 0 ? `${((100 * rate) / top).toFixed(0)} %` : '';
        table.push([
          name,
          kind,
          shape,
          ms.toFixed(3),
          madds > 0 ? rate.toFixed(1) : '',
          share,
          (bytes / 1e6).toFixed(2),
          (bytes / ms / 1e6).toFixed(1),
        ]);
      }
      const ms = steps.reduce((sum, step) => sum + step.ms, 0);
      const madds = steps.reduce((sum, step) => sum + step.madds, 0);
      console.log(
        `\n${checkpoint}, ${precision}, ${simd}: ${ms.toFixed(2)} ms, ${(madds / ms / 1e6).toFixed(1)} GMAC/s of ${top.toFixed(1)}`,
      );
      console.log(table.toString());
      for (const [kind, { percent, least, most }] of sharesOf(steps, top)) {
        console.log(`  ${kind.padEnd(40)} ${String(percent).padStart(3)} % of the peak (${least} to ${most})`);
      }
      results.push({ checkpoint, precision, simd, peak: top, steps });
    }
  }
}
const machine = `${cpus().length} cores of ${cpus()[0].model}, Node ${process.version}`;
const measured = { date: new Date().toISOString().slice(0, 10), machine, peak, results };
writeFileSync(join(root, 'bench/results/kernels.json'), `${JSON.stringify(measured)}\n`);
writeDocs('performance.md', 'npm run bench:kernels', kernelsTable(measured));

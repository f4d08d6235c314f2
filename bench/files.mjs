// npm run bench:files -- --models DIR --images DIR --calibration DIR [--limit N] [--only NAME]...: float32 against int8 on model files as people
// have them, by the command `compare`. Adds to bench/results/files.json and writes the table of docs/weights.md.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable, writeDocs } from './docs.mjs';
import { root } from './prepare.mjs';

const directory = { type: 'string' };
const { models, images, calibration, limit, only } = parseArgs({
  options: {
    models: directory,
    images: directory,
    calibration: directory,
    limit: { type: 'string', default: '100' },
    only: { type: 'string', multiple: true },
  },
}).values;
if (!models || !images || !calibration) throw new Error('--models DIR, --images DIR and --calibration DIR are needed.');

const paths = readdirSync(models, { recursive: true })
  .filter((name) => /\.(tflite|onnx|h5|keras|pth)$|(^|\/)model\.json$/.test(name) && (!only || only.some((part) => name.includes(part))))
  .sort();
const file = join(root, 'bench/results/files.json');
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).results : [];
const results = new Map(known.map((result) => [result.name, result]));

function save() {
  const sorted = [...results.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const date = new Date().toISOString().slice(0, 10);
  const machine = cpus()[0].model;
  writeFileSync(file, `${JSON.stringify({ date, machine, node: process.version, results: sorted }, null, 2)}\n`);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
  const table = markdownTable(
    ['file', 'network', 'pictures', 'same top-1', 'logits, mean', 'least', 'probabilities, mean', 'least', 'as one', 'float32', 'int8'],
    sorted.map(({ name, architecture, width, images, agreement, cosine, probabilities, bytes }) => [
      `\`${relative('.', name)}\``,
      `${architecture} ${width}`,
      images,
      agreement === null ? 'features' : `${(agreement * 100).toFixed(1)} %`,
      cosine.mean.toFixed(5),
      cosine.least.toFixed(5),
      ...(probabilities ? [probabilities.mean, probabilities.least, probabilities.whole].map((value) => value.toFixed(5)) : ['', '', '']),
      megabytes(bytes.float),
      megabytes(bytes.int8),
    ]),
    1,
  );
  writeDocs(
    'weights.md',
    'npm run bench:files',
    `${table}\n\nPhotographs; int8 is calibrated on others. ${machine}, Node ${process.version}, ${date}.`,
  );
}

for (const path of paths) {
  const name = path.replace(/\/model\.json$/, '');
  const options = ['--weights', join(models, path), '--images', images, '--calibration', calibration];
  try {
    const command = [join(root, 'dist/cli/index.js'), 'compare', ...options, '--unlabelled', '--limit', limit, '--json', '-'];
    const {
      model,
      rows,
      images: count,
      agreement,
      cosine,
      probabilities,
    } = JSON.parse(execFileSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
    const [float, int8] = rows.map(({ modelBytes }) => modelBytes);
    results.set(name, {
      name,
      architecture: model.architecture,
      width: model.width,
      images: count,
      agreement,
      cosine,
      probabilities,
      bytes: { float, int8 },
    });
    console.log(name, JSON.stringify(results.get(name)));
    save();
  } catch (error) {
    console.log(name, String(error.stderr).trim().split('\n').at(-1));
  }
}

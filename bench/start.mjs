// npm run bench:start: from import to the first logits of an int8 Small whose bytes are in memory, each in a process of its own.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { median } from './measure.mjs';
import { prepare, root } from './prepare.mjs';

const PROCESSES = 11;
const folder = await prepare('mobilenet_v3_small');
const file = JSON.stringify(join(folder, 'int8.safetensors'));
const script = `
  const bytes = require('fs').readFileSync(${file});
  const data = new Float32Array(224 * 224 * 3);
  const start = performance.now();
  import(${JSON.stringify(join(root, 'dist/index.js'))})
    .then(({ loadModel }) => loadModel(bytes))
    .then((model) => model.predict({ data, shape: [1, 224, 224, 3] }))
    .then(() => console.log(performance.now() - start));
`;
const times = Array.from({ length: PROCESSES }, () => Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })));
console.log(
  `import to first logits, int8 Small: ${median(times).toFixed(1)} ms, ${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)} in ${PROCESSES} processes, Node ${process.version}`,
);

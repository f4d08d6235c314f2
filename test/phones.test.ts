import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// bench/phones/table.mjs: results that people send, as a table.

const row = (network: string, precision: string, median: number) => ({
  ...{ network, precision, simd: 'relaxed', threads: 1, median, p10: median, p90: median, rounds: [median], samples: 50 },
  ...{ load: 40, memoryBytes: 1e7, ...(precision === 'int8' ? { chosen: 'planes' } : {}) },
});
const RESULT = {
  version: 1,
  date: '2026-11-26T10:00:00.000Z',
  device: {
    name: 'A phone | <b>',
    userAgent: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
    cores: 8,
    features: { simd: true, relaxedSimd: true, threads: false, crossOriginIsolated: false },
  },
  rows: [row('mobilenet_v3_small', 'float32', 4.5), row('mobilenet_v3_small', 'int8', 2.25), row('mobilenet_v3_small', 'int8', 9)],
  cold: [{ network: 'mobilenet_v3_small', precision: 'int8', milliseconds: 81.7 }],
  sustained: [{ network: 'mobilenet_v3_small', precision: 'int8', seconds: 60, inferences: 20000, ratio: 1.08 }],
};

function tableOf(files: Record<string, string>): Promise<{ code: number; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-phones-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const script = `import { tableOf } from './bench/phones/table.mjs'; console.log(await tableOf(${JSON.stringify(folder)}));`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (error, stdout, stderr) => {
      rmSync(folder, { recursive: true });
      resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr });
    });
  });
}

it('makes a row of a result, whose words cannot break the table', async () => {
  const { code, text } = await tableOf({ 'a.json': JSON.stringify(RESULT) });
  expect(code).toBe(0);
  expect(text.split('\n')[2]).toBe('| A phone    b | Chrome 156 | 2026-11-26 | 4.50 | 2.25 | - | - | planes | 1 | 82 | 1.08 |');
});

it.each([
  ['no result', '{}', /a\.json is no result of the page/],
  ['no JSON', 'x', /a\.json is no result of the page/],
  ['a result without a name', JSON.stringify({ ...RESULT, device: { ...RESULT.device, name: '' } }), /a\.json names no device/],
  ['a name of a hundred letters', JSON.stringify({ ...RESULT, device: { ...RESULT.device, name: 'x'.repeat(100) } }), /is no result/],
  ['a ratio that is no number', JSON.stringify({ ...RESULT, sustained: [{ ...RESULT.sustained[0], ratio: 'hot' }] }), /is no result/],
] as const)('refuses %s', async (_, content, message) => {
  const { code, text } = await tableOf({ 'a.json': content });
  expect(code).toBe(1);
  expect(text).toMatch(message);
});

it('the table in bench/phones is that of the files there', async () => {
  const script = `import { tableOf } from './bench/phones/table.mjs'; console.log(await tableOf('bench/phones'));`;
  const table = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (error, stdout) => (error ? reject(error) : resolve(stdout.trim())));
  });
  expect(readFileSync('bench/phones/README.md', 'utf8')).toContain(`\n${table}\n`);
});

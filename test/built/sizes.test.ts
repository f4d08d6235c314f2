import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

const RESULTS = 'bench/results/sizes.json';

const run = (...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }));
  });

it('no part of the package has grown by more than 3 per cent since its table was written', async () => {
  expect(await run('scripts/sizes.mjs', '--check')).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('a part that grew, that is new or that is gone is complained of', async () => {
  const { stdout } = await run(
    '--input-type=module',
    '-e',
    `import { complaints } from './scripts/sizes.mjs';
    console.log(JSON.stringify([
      complaints({ a: 1000, b: 5 }, { a: 980, b: 5 }),
      complaints({ a: 1100 }, { a: 1000 }),
      complaints({ a: 1 }, {}),
      complaints({}, { a: 1 }),
    ]));`,
  );
  expect(JSON.parse(stdout)).toEqual([
    [],
    ['a: 1100 bytes, 1000 in the table'],
    ['a: 1 bytes, and is not in the table'],
    ['a: in the table, and is not there'],
  ]);
});

it('the page that shows the table shows the results', () => {
  const { date, sizes } = JSON.parse(readFileSync(RESULTS, 'utf8')) as { date: string; sizes: Record<string, number> };
  const page = readFileSync('docs/browsers.md', 'utf8');
  for (const [name, size] of Object.entries(sizes)) expect(page).toContain(`| ${name} | ${(size / 1000).toFixed(1)} |`);
  expect(page).toContain(`Brotli, ${date}.`);
});

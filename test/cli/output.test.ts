import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import { randomNetwork } from '../random-network.js';

// What the built command line writes where, and how it ends.

const COMMANDS = ['compare', 'quantize', 'classify', 'embed', 'evaluate', 'inspect', 'bench', 'convert', 'download', 'paper'];
const SCRIPT = '/usr/bin/script';
const DRAWN = /[\u2500-\u257f]/;
const ESCAPE = '\u001b';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const execute = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(command, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
const run = (...args: string[]) => execute(process.execPath, ['dist/cli/index.js', ...args]);

let folder: string;
let weights: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-output-'));
  weights = join(folder, 'float.safetensors');
  writeFileSync(weights, (await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 3, width: 0.35, resolution: 32 })))).save());
});
afterAll(() => rmSync(folder, { recursive: true }));

it('writes plain columns into a pipe', async () => {
  const { stdout } = await run('inspect', 'mobilenet_v3_small');
  expect(stdout).not.toMatch(DRAWN);
  expect(stdout).not.toContain(ESCAPE);
  expect(stdout).toMatch(/^stem {2,}224x224x3 +conv2d 3x3 +16 .* 2 +464 /m);
  expect(stdout).not.toMatch(/ $/m);
});

const onTerminal = existsSync(SCRIPT) ? it : it.skip;
onTerminal.each([
  ['draws tables on a terminal', {}, true],
  ['draws none where NO_COLOR is set', { NO_COLOR: '1' }, false],
  ['draws none on a dumb terminal', { TERM: 'dumb' }, false],
] as const)('%s', async (_, env, drawn) => {
  const line = `${process.execPath} dist/cli/index.js inspect mobilenet_v3_small`;
  const { stdout } = await execute(SCRIPT, ['-qec', line, '/dev/null'], { TERM: 'xterm-256color', NO_COLOR: '', ...env });
  expect(DRAWN.test(stdout)).toBe(drawn);
  expect(stdout).not.toContain(`${ESCAPE}[`);
});

it.each(COMMANDS)('%s --help has examples, and --json', async (command) => {
  const { code, stdout } = await run(command, '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples:\\n {2}# .+\\n {2}\\$ (.* \\| )?mobilenet-v3 ${command}\\b`));
  expect(stdout).toContain('--json <file>');
});

it('ends quietly where whoever reads has read enough', async () => {
  const child = spawn(process.execPath, ['dist/cli/index.js', 'inspect', 'mobilenet_v3_small', '--json', '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

it('tells its exit codes', async () => {
  const { stdout } = await run('--help');
  expect(stdout).toMatch(/Exit codes:\n {2}0 {4}done/);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
});

it('tells of what it wrote as JSON, and nothing else', async () => {
  const out = join(folder, 'out.safetensors');
  const converted = await run('convert', '-w', weights, '-o', out, '--json', '-');
  expect(JSON.parse(converted.stdout)).toEqual({
    architecture: 'mobilenet_v3_small',
    precision: 'float32',
    output: out,
    bytes: readFileSync(out).length,
  });
  const twice = await run('convert', '-w', weights, '-o', '-', '--json', '-');
  expect(twice).toMatchObject({ code: 1, stdout: '' });
  expect(twice.stderr).toMatch(/--output and --json are both standard output/);
});

it.each([
  ['a path that leads nowhere', () => ['inspect', join(folder, 'none')], /error: .*none cannot be read.*\nhint: paths are relative to \//],
  ['a file that is no model', () => ['inspect', 'package.json'], /error: .*\nhint: .*docs\/weights\.md/],
  ['a slip in an option', () => ['inspect', '--jsn', '-'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
] as const)('gives a hint for %s', async (_, args, message) => {
  const { code, stderr } = await run(...args());
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
});

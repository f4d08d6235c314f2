import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUN, DENO, EXAMPLES, installed, PICTURES, type Running, record, start, WORKERD } from './example.js';

// The services of examples/: each runs as a process, as its README says.

const execute = promisify(execFile);

const SERVICES = [
  { name: 'node-http', command: process.execPath, args: ['server.mjs'], there: true },
  {
    name: 'deno',
    command: DENO,
    args: ['run', '--allow-net=127.0.0.1', '--allow-read', '--allow-env', '--allow-sys', '--allow-ffi', 'main.ts'],
    there: DENO !== '',
  },
  { name: 'bun', command: BUN, args: ['main.ts'], there: BUN !== '' },
];

let running: Running | undefined;
afterEach(() => running?.stop());

const post = (address: string, body: Uint8Array | string) => fetch(address, { method: 'POST', body: body as BodyInit });

for (const { name, command, args, there } of SERVICES) {
  (there ? it : it.skip)(`${name}: classifies what is posted${there ? '' : ' (npm run test:examples installs it)'}`, async () => {
    const started = performance.now();
    running = start(command, args, join(EXAMPLES, name), { PORT: '0', NO_COLOR: '1' });
    const [, address] = (await running.line(/(http:\/\/127\.0\.0\.1:\d+)/)) as unknown as [string, string];
    const pictures = Object.values(PICTURES);
    const answers = await Promise.all(
      pictures.map(async ({ file }) => (await post(`${address}/classify`, readFileSync(file))).json() as Promise<{ label: string }[]>),
    );
    expect(answers.map(([best]) => best?.label)).toEqual(pictures.map(({ label }) => label));
    const refused = await post(`${address}/classify`, 'no picture');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({ error: expect.stringContaining('cannot be decoded') });
    expect((await fetch(`${address}/classify`)).status).toBe(405);
    record(name, `${pictures.length} pictures posted at once, all named right; what is no picture is refused`, started);
  });
}

(WORKERD && installed('jpeg-js') ? it : it.skip)(
  'workerd: classifies what is posted, by an int8 network',
  async () => {
    const started = performance.now();
    const folder = join(EXAMPLES, 'workerd');
    await execute(process.execPath, ['build.mjs'], { cwd: folder });
    running = start(WORKERD, ['serve', 'config.capnp', '--control-fd=1', '--socket-addr=http=127.0.0.1:0'], folder);
    const [, port] = (await running.line(/"event":"listen".*"port":(\d+)/)) as unknown as [string, string];
    const address = `http://127.0.0.1:${port}/`;
    const labels = [];
    for (const { file } of Object.values(PICTURES)) {
      const [best] = (await (await post(address, readFileSync(file))).json()) as [{ label: string }];
      labels.push(best.label);
    }
    expect(labels).toEqual(Object.values(PICTURES).map(({ label }) => label));
    expect((await post(address, 'no picture')).status).toBe(400);
    record('workerd', `${labels.length} pictures posted, all named right by an int8 network; what is no picture is refused`, started);
  },
  180_000,
);

it('node-http: ends when it is told to, and refuses what is too large', async () => {
  running = start(process.execPath, ['server.mjs'], join(EXAMPLES, 'node-http'), { PORT: '0' });
  const [, address] = (await running.line(/(http:\/\/127\.0\.0\.1:\d+)/)) as unknown as [string, string];
  expect((await post(`${address}/classify`, new Uint8Array(20_000_001))).status).toBe(413);
  expect(await (await fetch(`${address}/health`)).json()).toMatchObject({ waiting: 0 });
  await running.stop('SIGTERM');
  expect(running.child.exitCode).toBe(0);
});

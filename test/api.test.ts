import { execFile } from 'node:child_process';

it('docs/api is what the comments in src/ say, and every public function says enough', async () => {
  const outcome = await new Promise<{ code: number; text: string }>((resolve) => {
    execFile(process.execPath, ['scripts/api.mjs', '--check'], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr });
    });
  });
  expect(outcome).toEqual({ code: 0, text: '' });
});

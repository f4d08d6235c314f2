import { ModelFormatError, WorkerError } from '../../src/errors.js';
import { loadModel } from '../../src/load.js';
import platform from '../../src/platform/node.js';
import type { ThreadHandle } from '../../src/platform/platform.js';

/** A worker that answers the greeting, or fails, and fails at the first call. */
function dying(greets: boolean): ThreadHandle & { readonly sent: unknown[] } {
  let hear: (message: unknown) => void = () => undefined;
  let fail: (cause: unknown) => void = () => undefined;
  const sent: unknown[] = [];
  return {
    sent,
    send: (message) => {
      sent.push(message);
      const greeting = (message as { kind: string }).kind === 'hello';
      queueMicrotask(() => (greeting && greets ? hear({ kind: 'ready' }) : fail(new Error('killed'))));
    },
    listen: (heard, failed) => {
      hear = heard;
      fail = failed;
    },
    ref: () => undefined,
    unref: () => undefined,
    terminate: () => undefined,
  };
}

const { startModelWorker, wrapWorker } = platform;
afterEach(() => {
  Object.assign(platform, { startModelWorker, wrapWorker });
});

it('a worker of the page that does not serve models is told so', async () => {
  const worker = dying(false);
  platform.wrapWorker = () => worker;
  await expect(loadModel(new Uint8Array(8), { worker: {} as Worker })).rejects.toThrow(WorkerError);
  expect(worker.sent).toEqual([{ kind: 'hello' }]);
});

it('without a worker of its own, a model is loaded here', async () => {
  platform.startModelWorker = async () => dying(false);
  await expect(loadModel(new Uint8Array(8), { worker: true })).rejects.toThrow(ModelFormatError);
});

it('a worker that dies settles what it was asked, and the next one is a new one', async () => {
  platform.startModelWorker = async () => dying(true);
  const failed = loadModel(new Uint8Array(8), { worker: true });
  await expect(failed).rejects.toThrow(WorkerError);
  await expect(failed).rejects.toMatchObject({ code: 'ERR_WORKER', cause: new Error('killed') });
});

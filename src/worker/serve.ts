import platform from '#platform';
import { adoptModule, type CompiledModule } from '../engine/variants.js';
import type { ModelInput, ModelSource, Tensor } from '../inputs.js';
import { loadLocalModel } from '../model/local-model.js';
import type { LoadOptions, Model } from '../model/model.js';
import { quantizeLocal } from '../model/quantize.js';
import type { ThreadHandle } from '../platform/platform.js';
import type { QuantizeOptions } from '../quantization/calibrate.js';
import { type FromThread, factsOf, type Loaded, plainError, type Reply, type Request, type ToThread } from './protocol.js';

const models = new Map<number, Model>();
const aborts = new Map<number, AbortController>();
const pulls = new Map<number, (item: Extract<Request, { kind: 'item' }>) => void>();
const parent = platform.parentThread<Request>();
let lastModel = 0;

const send = (reply: Reply, transfer: readonly Transferable[] = []) => parent.send(reply, transfer);

function adopt(model: Model): Loaded {
  models.set(++lastModel, model);
  return { id: lastModel, facts: factsOf(model), saved: model.save() };
}

async function* pulled(id: number): AsyncGenerator<ModelInput> {
  for (;;) {
    const answer = new Promise<Extract<Request, { kind: 'item' }>>((resolve) => pulls.set(id, resolve));
    send({ kind: 'pull', id });
    const { item, end } = await answer;
    if (end) return;
    yield item as ModelInput;
  }
}

/** predict() and what else asks a model about an input: all take options behind it. */
type Asked = (input: unknown, options: { readonly signal: AbortSignal }) => Promise<unknown>;

async function answer(request: Extract<Request, { kind: 'call' }>, signal: AbortSignal): Promise<unknown> {
  const { id, method, args } = request;
  const onProgress = (...numbers: (number | undefined)[]) => send({ kind: 'progress', id, args: numbers as number[] });
  if (method === 'load') {
    const [source, options, module] = args as [ModelSource, LoadOptions, CompiledModule];
    adoptModule(module);
    return adopt(await loadLocalModel(source, { ...options, signal, onProgress }, startThread));
  }
  const model = models.get(request.model) as Model;
  switch (method) {
    case 'quantize':
      adoptModule(args[1] as CompiledModule);
      return adopt(await quantizeLocal(model, pulled(id), { ...(args[0] as QuantizeOptions), signal, onProgress }));
    case 'dispose':
      model.dispose();
      models.delete(request.model);
      return undefined;
    default:
      return (model[method] as Asked).call(model, args[0], { ...(args[1] as object), signal });
  }
}

/** Everything of size in an answer is new, and given away. */
function buffersOf(value: unknown): Transferable[] {
  const arrays = [value, (value as Tensor | undefined)?.data, (value as Loaded | undefined)?.saved];
  return arrays.filter((array) => ArrayBuffer.isView(array)).map(({ buffer }) => buffer as ArrayBuffer);
}

/**
 * Serves models from a worker of your own, for `loadModel(source, { worker })`. Call it once, first.
 *
 * @example
 * // own-worker.js, started by new Worker('own-worker.js', { type: 'module' })
 * import { serve } from 'mobilenet-v3-wasm/worker';
 * serve();
 */
export function serve(): void {
  parent.listen(hear);
}

// Firefox now and then gets stuck in a worker that starts one (one start of some hundreds, seen in 153).
const startThread = platform.nestsThreads ? platform.startThread : lentThread;

/** A thread that the owner starts for us. */
function lentThread(): ThreadHandle {
  const { port1, port2 } = new MessageChannel();
  const tell = (message: ToThread) => port1.postMessage(message);
  send({ kind: 'thread', port: port2 }, [port2]);
  return {
    send: (message) => tell({ message }),
    listen: (heard, failed) => {
      port1.onmessage = ({ data }: MessageEvent<FromThread>) => ('failed' in data ? failed(data) : heard(data.message));
    },
    ref: () => undefined,
    unref: () => undefined,
    terminate: () => tell({ end: true }),
  };
}

async function hear(request: Request): Promise<void> {
  if (request.kind === 'hello') {
    send({ kind: 'ready' });
    return;
  }
  const { id } = request;
  if (request.kind === 'abort') aborts.get(id)?.abort();
  if (request.kind === 'item') pulls.get(id)?.(request);
  if (request.kind !== 'call') return;
  const abort = new AbortController();
  aborts.set(id, abort);
  try {
    const value = await answer(request, abort.signal);
    send({ kind: 'value', id, value }, buffersOf(value));
  } catch (error) {
    send({ kind: 'error', id, error: plainError(error) });
  } finally {
    for (const image of request.args) (image as Partial<ImageBitmap> | undefined)?.close?.();
    aborts.delete(id);
    pulls.delete(id);
  }
}

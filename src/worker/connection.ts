import platform from '#platform';
import { AbortError, WorkerError } from '../errors.js';
import type { ThreadHandle } from '../platform/platform.js';
import { type FromThread, type Method, type Reply, type Request, revivedError, type ToThread } from './protocol.js';

interface Call {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (...args: number[]) => void;
  readonly pull: () => void;
}

export interface CallOptions {
  readonly transfer?: readonly Transferable[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((...args: number[]) => void) | undefined;
  /** Where the worker's calibration inputs come from. */
  readonly inputs?: AsyncGenerator<{ value: unknown; transfer: readonly Transferable[] }>;
}

/** Longer than any page takes to fetch a script of a few kilobytes. */
const PATIENCE_MILLISECONDS = 30_000;

/** Workers given from outside: the models in one of them share a connection. */
const given = new WeakMap<Worker, Promise<Connection>>();

/** A worker that serves models, and the calls that wait for it. */
export class Connection {
  private readonly calls = new Map<number, Call>();
  /** Of the pools of its models. */
  private readonly threads: ThreadHandle[] = [];
  private lastCall = 0;
  private users = 0;
  private dead: WorkerError | undefined;

  private constructor(
    private readonly worker: ThreadHandle,
    private readonly owned: boolean,
  ) {}

  /** Undefined where no worker starts: a policy forbids it. A worker of the caller's own that does not is an error. */
  static open(worker: true | Worker): Promise<Connection | undefined> {
    if (worker === true) return Connection.start(undefined).catch(() => undefined);
    let connection = given.get(worker);
    if (!connection) {
      connection = Connection.start(worker);
      given.set(worker, connection);
    }
    return connection;
  }

  private static async start(outer: Worker | undefined): Promise<Connection> {
    const worker = outer ? platform.wrapWorker(outer) : await platform.startModelWorker();
    const connection = new Connection(worker, outer === undefined);
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: unknown) => {
        clearTimeout(silence);
        connection.die(cause);
        reject(new WorkerError('the worker does not answer; its script must call serve() of mobilenet-v3-wasm/worker.', { cause }));
      };
      const silence = setTimeout(failed, PATIENCE_MILLISECONDS, 'no answer');
      worker.listen((message) => {
        clearTimeout(silence);
        const reply = message as Reply;
        if (reply.kind === 'ready') resolve();
        else connection.hear(reply);
      }, failed);
      worker.send({ kind: 'hello' } satisfies Request);
    });
    connection.rest();
    return connection;
  }

  retain(): void {
    this.users++;
  }

  /** The last model takes the worker with it. */
  release(): void {
    if (--this.users > 0 || !this.owned) return;
    this.worker.terminate();
    for (const thread of this.threads) thread.terminate();
  }

  call<T>(model: number, method: Method, args: readonly unknown[], options: CallOptions = {}): Promise<T> {
    const { transfer, signal, onProgress, inputs } = options;
    if (this.dead) return Promise.reject(this.dead);
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason));
    const id = ++this.lastCall;
    const abort = () => {
      this.post({ kind: 'abort', id });
      this.calls.get(id)?.reject(new AbortError(signal?.reason));
    };
    const promise = new Promise<T>((resolve, reject) => {
      const pull = () => void this.feed(id, inputs);
      this.calls.set(id, { resolve, reject, onProgress: (...numbers) => onProgress?.(...numbers), pull });
      this.worker.ref();
      this.post({ kind: 'call', id, model, method, args }, transfer);
    });
    signal?.addEventListener('abort', abort);
    return promise.finally(() => {
      signal?.removeEventListener('abort', abort);
      this.calls.delete(id);
      this.rest();
    });
  }

  private post(request: Request, transfer: readonly Transferable[] = []): void {
    this.worker.send(request, transfer);
  }

  /** A process may end while nothing is asked of the worker. */
  private rest(): void {
    if (this.calls.size === 0) this.worker.unref();
  }

  private async feed(id: number, inputs: CallOptions['inputs']): Promise<void> {
    try {
      const next = await inputs?.next();
      if (!next || next.done) this.post({ kind: 'item', id, end: true });
      else this.post({ kind: 'item', id, item: next.value.value }, next.value.transfer);
    } catch (error) {
      this.post({ kind: 'abort', id });
      this.calls.get(id)?.reject(error as Error);
      this.post({ kind: 'item', id, end: true });
    }
  }

  private async lend(port: MessagePort): Promise<void> {
    const tell = (message: FromThread) => port.postMessage(message);
    try {
      const { default: source } = await import('../binaries/pool-worker.js');
      const thread = platform.startThread(source);
      this.threads.push(thread);
      thread.listen(
        (message) => tell({ message }),
        () => tell({ failed: true }),
      );
      port.onmessage = ({ data }: MessageEvent<ToThread>) => ('end' in data ? thread.terminate() : thread.send(data.message));
    } catch {
      tell({ failed: true });
    }
  }

  private hear(reply: Exclude<Reply, { kind: 'ready' }>): void {
    if (reply.kind === 'thread') {
      void this.lend(reply.port);
      return;
    }
    const call = this.calls.get(reply.id);
    if (reply.kind === 'value') call?.resolve(reply.value as never);
    else if (reply.kind === 'error') call?.reject(revivedError(reply.error));
    else if (reply.kind === 'progress') call?.onProgress(...reply.args);
    else call?.pull();
  }

  private die(cause: unknown): void {
    this.dead = new WorkerError('the worker that ran this model died; load the model again.', { cause });
    for (const { reject } of this.calls.values()) reject(this.dead);
  }
}

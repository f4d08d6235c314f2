import browser from './browser.js';
import type { Platform, ThreadHandle } from './platform.js';

/** What a worker of the one file is for: the name that it is started with, and finds as its own. */
export const ROLES = { model: 'mobilenet-v3-wasm model', thread: 'mobilenet-v3-wasm thread' } as const;

/** The file itself as a worker: a script of its own origin, which policies allow that forbid blobs. */
function startOwn(name: string): ThreadHandle {
  const address = import.meta.url;
  const elsewhere = new URL(address).origin !== location.origin;
  // No page starts a worker from another origin; but a blob of the page's own may import from there.
  const url = elsewhere ? URL.createObjectURL(new Blob([`import ${JSON.stringify(address)}`], { type: 'text/javascript' })) : address;
  return browser.wrapWorker(new Worker(url, { type: 'module', name }));
}

/** Browsers, for the build of the whole package as one file (`mobilenet-v3-wasm-standalone`). */
const platform: Platform = {
  ...browser,
  startThread: () => startOwn(ROLES.thread),
  startModelWorker: async () => startOwn(ROLES.model),
};
export default platform;

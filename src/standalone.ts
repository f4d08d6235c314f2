// The whole package as one file, for pages without a bundler: scripts/build-standalone.mjs makes mobilenet-v3-wasm-standalone of it.
import { ROLES } from './platform/standalone.js';
import { serve } from './worker/serve.js';

export * from './index.js';
export * from './kernels/index.js';
export * from './transfer.js';
export { serve };

// As a worker that it has started itself, the file does that worker's work.
if (typeof document === 'undefined') {
  const { name } = globalThis as { name?: string };
  if (name === ROLES.model) serve();
  else if (name === ROLES.thread) void import('./engine/threads/worker.js');
}

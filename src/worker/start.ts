// What a model's worker runs: as a file in Node, bundled into a string in browsers (scripts/build-workers.mjs).
import { serve } from './serve.js';

serve();

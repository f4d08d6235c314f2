// A worker of the page's own origin. It serves any number of models; each loadModel(source, { worker }) gets its own.
import { serve } from '/mobilenet-v3-wasm.js';

serve();

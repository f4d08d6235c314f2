// A worker of the page's own origin, for policies that allow no other.
import { serve } from 'mobilenet-v3-wasm/worker';

serve();

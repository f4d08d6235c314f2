import { PAIRS } from './lanes/pairs.js';
import type { Way } from './lanes/way.js';

/** All ways to compute sums of lanes. */
export const WAYS = [PAIRS] as const satisfies readonly Way[];

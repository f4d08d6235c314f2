import type { Integers } from '../ways.js';
import { lanesBy } from './lanes.js';
import { PAIRS } from './pairs.js';
import { planesBy } from './planes.js';
import { PRODUCTS } from './products.js';

/** Arithmetic on lanes, way by way. */
export const LANES: Integers['LANES'] = {
  pairs: () => lanesBy(PAIRS),
  products: () => lanesBy(PRODUCTS),
  planes: ({ dot, arm }) => lanesBy(planesBy(dot as NonNullable<typeof dot>, arm ? PRODUCTS : PAIRS)),
};

import type { Machine } from '../../engine/machine.js';
import type { Arithmetic } from '../arithmetic.js';
import { lanesBy } from './lanes.js';
import { PAIRS } from './pairs.js';
import { planesBy } from './planes.js';
import { PRODUCTS } from './products.js';

// Arithmetic on lanes, way by way.

export const pairs: Arithmetic = lanesBy(PAIRS);
export const products: Arithmetic = lanesBy(PRODUCTS);
export const planes = (dot: NonNullable<Machine['dot']>, arm: boolean): Arithmetic => lanesBy(planesBy(dot, arm ? PRODUCTS : PAIRS));

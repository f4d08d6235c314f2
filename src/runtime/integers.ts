// What networks with lanes need besides; a session loads it with the first of them.

export { LANES } from '../compute/lanes/index.js';
export { agrees, fastest } from './race.js';

import { Runner } from '../../src/kernels/runner.js';
import { difference, firstDifference } from './compare.js';
import { guarded, inShares, MACHINES } from './engines.js';
import { piecesBy } from './piece-cases.js';
import { select } from './select.js';

const [REAL, LANES] = [piecesBy(true), piecesBy(false)];

describe.each(MACHINES)('pieces of networks, $name', ({ engine, way }) => {
  let runner: Runner;
  beforeAll(async () => {
    runner = new Runner(inShares(guarded(await engine()), 3), way);
  });

  it('on float32', () => {
    for (const { name, piece, expected } of select(REAL)) {
      const error = difference(runner.float(piece), expected());
      // Up to four layers, each rounded as often as it has values to sum.
      expect([name, error < 1e-5 ? 0 : error]).toEqual([name, 0]);
    }
  });

  it('on lanes, bit for bit', () => {
    for (const { name, piece, expected } of select(LANES)) {
      expect([name, firstDifference(runner.float(piece), expected())]).toEqual([name, undefined]);
    }
  });
});

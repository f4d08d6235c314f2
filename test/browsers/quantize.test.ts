import { fuse } from '../../src/graph/fusion.js';
import { quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { randomNetwork } from '../random-network.js';
import { ENGINES, type OpenEngine } from './engines.js';
import { openSite, type Site } from './site.js';

// A page quantizes in a worker: it goes on meanwhile, sees how far the work is, and can end it.

const SIDE = 64;
const PATIENCE_MILLISECONDS = 120_000;
const images = [1, 2, 3].map((seed) => ({
  data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin((i + 1) * 12.9898 * seed)),
  shape: [1, SIDE, SIDE, 3] as const,
}));

interface Run {
  readonly aborted: unknown;
  readonly early: readonly number[][];
  readonly progress: readonly number[][];
  readonly turns: number;
  readonly precision: string;
  readonly worker: boolean;
  readonly logits: readonly number[];
}

let site: Site;
let model: Model;
beforeAll(async () => {
  site = await openSite('quantize-page');
  model = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 7, width: 0.35, resolution: SIDE })));
  site.serve('/weights', model.save());
});
afterAll(() => site?.close());

describe.each(ENGINES)('quantize() in a worker, in $name (Debian: $debianPackages)', ({ installed, open }) => {
  let engine: OpenEngine;
  beforeAll(async () => {
    if (installed) engine = await open();
  });
  afterAll(() => engine?.close());

  (installed ? it : it.skip)(
    'tells how far it is, ends when it is told to, and gives the bits of Node',
    async () => {
      const tab = await engine.newTab();
      await tab.goto(`${site.address}quantize-page`);
      const { error, ...runs } = (await tab.result(PATIENCE_MILLISECONDS)) as Record<string, Run> & { error?: string };
      await tab.close();
      expect(error).toBeUndefined();
      for (const activations of [16, 8] as const) {
        const { aborted, early, progress, turns, precision, worker, logits } = runs[activations] as Run;
        expect(aborted).toBe('ERR_ABORTED');
        // It ended within some layers of 50; messages that were on their way still came.
        expect(early.length).toBeLessThan(progress.length);
        const layers = progress.at(-1)?.[2] as number;
        expect(progress).toEqual([[1], [2], [3], ...Array.from({ length: layers }, (_, i) => [3, i + 1, layers])]);
        // The page had its turns all the while.
        expect(turns).toBeGreaterThan(layers);
        expect([precision, worker]).toEqual(['int8', true]);
        const here = await quantize(model, images, { activations });
        expect(logits).toEqual([...(await here.predict(images[0] as (typeof images)[number]))]);
        here.dispose();
      }
    },
    PATIENCE_MILLISECONDS + 60_000,
  );
});

import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { randomNetwork } from '../random-network.js';
import { ENGINES, type OpenEngine } from './engines.js';
import { openSite, type Site } from './site.js';

interface Seen {
  readonly index: number;
  readonly predictions: number;
  readonly timestamp: number;
  readonly skipped: number;
}
interface Run {
  readonly quick: Seen[];
  readonly slow: Seen[];
  readonly aborted: string;
  readonly live: string;
}

let site: Site;
let model: Model;
let index: number;
beforeAll(async () => {
  site = await openSite('watch-page');
  model = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.5, resolution: 64 })));
  site.serve('/weights', model.save());
  const data = new Uint8Array(96 * 64 * 3).map((_, i) => [0xd0, 0x20, 0x20][i % 3] as number);
  index = (await model.classify({ data, width: 96, height: 64, channels: 3 }, { topK: 1 }))[0]?.index as number;
});
afterAll(() => site?.close());

describe.each(ENGINES)('watch() in $name (Debian: $debianPackages)', ({ installed, open }) => {
  let engine: OpenEngine;
  beforeAll(async () => {
    if (installed) engine = await open();
  });
  afterAll(() => engine?.close());

  (installed ? it : it.skip)('gives the newest frame, drops the others, and ends when it is told to', async () => {
    const tab = await engine.newTab();
    await tab.goto(`${site.address}watch-page`);
    const { error, ...runs } = (await tab.result()) as Record<string, unknown> & { error?: string };
    await tab.close();
    expect(error).toBeUndefined();
    for (const worker of ['', ', in a worker']) {
      for (const what of ['track', 'video', 'video without requestVideoFrameCallback']) {
        const { quick, slow, aborted, live } = runs[what + worker] as Run;
        for (const seen of [...quick, ...slow]) expect(seen).toMatchObject({ index, predictions: 2 });
        const times = quick.map(({ timestamp }) => timestamp);
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
        // A frame each 20 ms, and a loop that takes 300: the frames between are left out, and counted.
        const later = slow.slice(2);
        for (const { skipped } of later) expect(skipped).toBeGreaterThan(1);
        const [, second, third, fourth] = slow.map(({ timestamp }) => timestamp) as [number, number, number, number];
        for (const gap of [third - second, fourth - third]) expect(gap).toBeGreaterThan(150);
        expect(aborted).toBe('ERR_ABORTED');
        // The camera is the caller's.
        expect(live).toBe('live');
      }
      expect(runs[`the end${worker}`]).toEqual({ failed: 'ERR_INPUT', odd: 'ERR_INPUT', ended: 'ERR_INPUT' });
    }
  });
});

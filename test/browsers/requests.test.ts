import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import type { RuntimeFeatures } from '../../src/model/model.js';
import { randomNetwork } from '../random-network.js';
import { ENGINES, type OpenEngine } from './engines.js';
import { openSite, type Site } from './site.js';

// Nothing is sent: a page that may connect to nothing does all that needs no source to fetch.

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "connect-src 'none'",
    'worker-src blob:',
    'img-src data:',
    'media-src blob: mediastream:',
    'report-uri /violation',
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** It quantizes four times. */
const PATIENCE_MILLISECONDS = 150_000;

let site: Site;
beforeAll(async () => {
  site = await openSite('requests-page');
  const model = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 5, width: 0.35, resolution: 64 })));
  const weights = Buffer.from(model.save()).toString('base64');
  site.serve(
    '/page',
    // Without an icon of its own, a browser asks for /favicon.ico.
    '<!doctype html><link rel="icon" href="data:,">' +
      `<script type="text/plain" id="weights">${weights}</script><script type="module" src="/requests-page.js"></script>`,
    'text/html',
  );
  site.headers = HEADERS;
});
afterAll(() => site?.close());

describe.each(ENGINES)('a page that may connect to nothing, in $name (Debian: $debianPackages)', ({ installed, open }) => {
  let engine: OpenEngine;
  beforeAll(async () => {
    if (installed) engine = await open();
  });
  afterAll(() => engine?.close());

  (installed ? it : it.skip)(
    'does everything with bytes in hand, and asks for its own scripts alone',
    async () => {
      site.asked.length = 0;
      site.sent.length = 0;
      const tab = await engine.newTab();
      await tab.goto(`${site.address}page`);
      const result = (await tab.result(PATIENCE_MILLISECONDS)) as {
        error?: string;
        features: RuntimeFeatures[];
        refused: string;
        violations: string[];
      };
      await tab.close();
      expect(result.error).toBeUndefined();
      expect(site.asked.filter((path) => path !== '/page' && path !== '/violation' && !path.endsWith('.js'))).toEqual([]);
      // One thing was asked for on purpose, and refused: the page heard of it. The browser itself reports what workers ask for, too.
      const blocked = site.sent.map(
        (report) => (JSON.parse(report) as { 'csp-report': { 'blocked-uri': string } })['csp-report']['blocked-uri'],
      );
      const onPurpose = `${site.address}forbidden`;
      expect(result.violations).toEqual([`connect-src ${onPurpose}`]);
      expect(blocked.filter((uri) => uri !== onPurpose)).toEqual([]);
      expect(result.features.map(({ worker }) => worker)).toEqual([false, false, true, true]);
      expect(result.refused).toBe('ERR_INPUT');
    },
    PATIENCE_MILLISECONDS + 30_000,
  );
});

import { existsSync } from 'node:fs';
import { type BuiltPage, copied, run, text } from './built.js';

/** Whether the page may offer LiteRT.js and tfjs: they are bench/'s, not the package's. */
const PEERS = existsSync('bench/node_modules/@litertjs/core');

export function shareTests(site: BuiltPage): void {
  it('makes a card of its result, with the device as its owner calls it and the paper beside it', async () => {
    const page = await site.open('?seconds=3');
    await page.type('#device', 'A phone of mine');
    await page.click('input[name="sustain"]');
    await run(page);
    expect(await text(page, '#charts')).toMatch(/Pixel 1, float32, the paper\s+15\.8/);
    expect(await text(page, '#notes')).toMatch(/Cold start of MobileNetV3-Small in int8: \d/);
    await page.evaluate(() => {
      const saved: string[] = [];
      HTMLAnchorElement.prototype.click = function () {
        saved.push(this.download);
      };
      const { toBlob } = HTMLCanvasElement.prototype;
      HTMLCanvasElement.prototype.toBlob = function (...args) {
        Object.assign(globalThis, { drawn: [this.width, this.height, this.toDataURL().length] });
        toBlob.apply(this, args);
      };
      Object.assign(globalThis, { saved });
    });
    const heat = /MobileNetV3-Small in int8, 3 s without a pause: \d+ inferences; p90 of the last ten seconds is \d+\.\d\d times/;
    expect(await text(page, '#notes')).toMatch(heat);
    const card = await copied(page, '#text');
    expect(card).toMatch(/^MobileNetV3 at 224x224 on A phone of mine, Chrome \d+, \d{4}-\d\d-\d\d\n/);
    expect(card).toMatch(/MobileNetV3-Small, int8: \d+\.\d+ ms \(p10 .*(pairs|products|planes)\)/);
    expect(card).toMatch(/cold start of MobileNetV3-Small, int8: \d+\.\d+ ms from bytes to logits/);
    expect(card).toMatch(
      /3 s of MobileNetV3-Small, int8: \d+ inferences;\np90 of the last ten seconds was \d+\.\d\d times that of the first/,
    );
    expect(card).toMatch(/cores; relaxed SIMD: (yes|no); threads: (yes|no); isolated: (yes|no)/);
    await page.evaluate(() => Object.defineProperty(navigator, 'canShare', { value: undefined }));
    await page.click('#card');
    await page.waitForFunction(() => (globalThis as unknown as { saved: string[] }).saved.length > 0);
    const { saved, drawn } = await page.evaluate(() => {
      const { saved, drawn } = globalThis as unknown as { saved: string[]; drawn: number[] };
      return { saved, drawn };
    });
    expect(saved[0]).toMatch(/^mobilenet-v3-benchmark-.*\.png$/);
    expect(drawn[0]).toBe(1080);
    expect(drawn[2]).toBeGreaterThan(20_000);
    // The name is kept for the next run.
    await page.reload();
    expect(await page.$eval('#device', (element) => (element as HTMLInputElement).value)).toBe('A phone of mine');
    expect(site.errors).toEqual([]);
    await page.close();
  });

  it('shows a linked result, and what is no result', async () => {
    const page = await site.open('');
    await run(page);
    const measured = await text(page, '#charts');
    const link = await copied(page, '#link');
    const other = await site.browser.newPage();
    await other.goto(link);
    await other.waitForSelector('#charts .bars');
    expect(await text(other, '#charts')).toBe(measured);
    await other.goto('about:blank');
    await other.goto(link.slice(0, -20));
    await other.waitForSelector('#message:not([hidden])');
    expect(await text(other, '#message')).toContain('no result');
    await other.close();
    await page.close();
  });

  it('offers LiteRT.js and tfjs where they are, and asks for nothing of them before a person agrees', async () => {
    const page = await site.open('');
    expect(await page.$eval('#others', (element) => (element as HTMLElement).hidden)).toBe(!PEERS);
    await page.click('#start');
    await page.waitForSelector('#charts .bars');
    await page.close();
    expect(site.asked.filter((name) => name.startsWith('peers/'))).toEqual([]);
  });

  (PEERS ? it : it.skip)(
    'measures LiteRT.js and tfjs where a person agrees (npm --prefix bench ci)',
    async () => {
      const page = await site.open('');
      await page.click('input[name="others"]');
      await run(page, 170_000);
      expect(await text(page, '#notes')).not.toContain('LiteRT.js and tfjs:');
      const peers = await text(page, '#peers');
      for (const name of ['this package, float32', 'this package, int8', 'LiteRT.js, float32', 'tfjs-backend-wasm, float32']) {
        expect(peers).toContain(name);
      }
      expect(await copied(page, '#text')).toMatch(/MobileNetV3-Small by LiteRT\.js, float32: \d+\.\d+ ms on one thread/);
      const requests = new Set(site.asked.filter((name) => name.startsWith('peers/')));
      expect([...requests].sort()).toEqual([
        expect.stringMatching(/^peers\/litert_wasm_(compat_)?internal\.js$/),
        expect.stringMatching(/^peers\/litert_wasm_(compat_)?internal\.wasm$/),
        'peers/tfjs-backend-wasm-simd.wasm',
        'peers/worker.js',
      ]);
      expect(site.errors).toEqual([]);
      await page.close();
    },
    180_000,
  );
}

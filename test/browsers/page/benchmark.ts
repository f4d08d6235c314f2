import { type BuiltPage, ended, PHONE, run, text } from './built.js';

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

export function benchmarkTests(site: BuiltPage): void {
  it('measures, checks the answers first, and fits a phone', async () => {
    site.headers = ISOLATED;
    const page = await site.open('');
    await page.click('input[name="everyWay"]');
    await run(page, 170_000);
    expect(await text(page, '#checked')).toContain('bit for bit');
    const charts = await text(page, '#charts');
    for (const way of ['pairs', 'products']) expect(charts).toContain(`int8, ${way}, `);
    expect(await text(page, '#notes')).toMatch(/int8 was computed in (pairs|planes)/);
    expect(await text(page, '#summary')).toMatch(/int8 is \d\.\d\d times as fast/);
    // Float32 and int8, with each SIMD, on one thread and on two.
    expect((await page.$$('#charts .bars tr')).length).toBeGreaterThanOrEqual(1 + 2 * 2);
    expect((await page.$$('#layers details')).length).toBe(2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
    const small = await page.$$eval('button, select, input[type=file], input[type=text], summary, fieldset label', (elements) =>
      elements.filter((e) => (e as HTMLElement).offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML),
    );
    expect(small).toEqual([]);
    expect(site.errors).toEqual([]);
    await page.close();
  }, 180_000);

  it('finishes and stays responsive when the page is held back four times', async () => {
    const page = await site.open('');
    await run(page);
    const medians = () =>
      page.$$eval('#charts .bars .value', (cells) => cells.map(({ textContent }) => Number(textContent)).filter((x) => x > 0));
    const fast = await medians();
    const client = await page.createCDPSession();
    await client.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await page.evaluate(() => {
      const gaps: number[] = [];
      let last = performance.now();
      const tick = () => {
        gaps.push(performance.now() - last);
        last = performance.now();
        if (!(globalThis as unknown as { done?: boolean }).done) setTimeout(tick, 10);
      };
      Object.assign(globalThis, { gaps });
      tick();
    });
    await page.click('#start');
    await ended(page);
    const gaps = await page.evaluate(() => Object.assign(globalThis, { done: true }) && (globalThis as unknown as { gaps: number[] }).gaps);
    const slow = await medians();
    expect(slow).toHaveLength(fast.length);
    // The throttle holds the page's own thread back, not its workers': the page is to stay responsive all the same.
    const longGaps = gaps.filter((gap) => gap > 250).length;
    expect(longGaps).toBeLessThan(gaps.length / 20);
    await page.close();
  });

  it('tells of weights that are missing, and goes on when they are back', async () => {
    site.missing.add('mobilenet_v3_small.int8.safetensors');
    const page = await site.open('');
    await run(page);
    expect(await text(page, '#message')).toContain('404');
    site.missing.clear();
    await page.click('#start');
    await ended(page);
    expect(await text(page, '#summary')).toContain('times as fast');
    await page.close();
  });

  it('stops when told to, and keeps what it has', async () => {
    const page = await site.open('');
    await page.click('#start');
    await page.waitForSelector('#charts .bars');
    await page.click('#stop');
    await ended(page);
    expect(await text(page, '#charts')).toContain('float32');
    await page.close();
  });

  it('tells of a worker that dies, and starts again', async () => {
    const page = await site.browser.newPage();
    await page.evaluateOnNewDocument(() => {
      const Original = Worker;
      globalThis.Worker = class extends Original {
        constructor(...args: ConstructorParameters<typeof Worker>) {
          super(...args);
          Object.assign(globalThis, { last: this });
        }
      };
    });
    await page.goto(site.address);
    await page.click('#start');
    await page.waitForSelector('#charts .bars');
    await page.evaluate(() =>
      (globalThis as unknown as { last: Worker }).last.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' })),
    );
    expect(await text(page, '#message')).toContain('died (out of memory)');
    expect(await text(page, '#charts')).toContain('float32');
    await run(page);
    expect(await text(page, '#summary')).toContain('times as fast');
    await page.close();
  });
}

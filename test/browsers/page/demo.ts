import { resolve } from 'node:path';
import type { Page } from 'puppeteer-core';
import { type BuiltPage, text } from './built.js';

export const ready = (page: Page) => page.waitForFunction(() => /classes/.test(document.getElementById('model')?.textContent ?? ''));

export function demoTests(site: BuiltPage): void {
  it('classifies in the demo, in both precisions', async () => {
    const page = await site.open('demo.html');
    await ready(page);
    expect(await text(page, '#model')).toContain('off the main thread');
    await page.click('#samples button');
    await page.waitForSelector('#answers tr');
    expect(await page.$$('#answers tr')).toHaveLength(5);
    const int8 = await text(page, '#answers tr th');
    await page.click('input[value="float32"]');
    await page.waitForFunction(() => document.getElementById('model')?.textContent?.includes('float32'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await text(page, '#answers tr th')).toBe(int8);
    expect(site.errors).toEqual([]);
    await page.close();
  });

  it('takes a camera, and says so when it is refused', async () => {
    const page = await site.open('demo.html');
    await ready(page);
    const context = site.browser.defaultBrowserContext();
    const { origin } = new URL(site.address);
    await context.setPermission(origin, { permission: { name: 'camera' }, state: 'denied' });
    await page.click('#camera');
    await page.waitForSelector('#message:not([hidden])');
    expect(await text(page, '#message')).toContain('refused');
    await context.setPermission(origin, { permission: { name: 'camera' }, state: 'granted' });
    await page.click('#camera');
    await page.waitForFunction(() => document.getElementById('speed')?.textContent?.includes('frames per second'));
    expect(await page.$eval('#message', (element) => (element as HTMLElement).hidden)).toBe(true);
    await page.click('#camera');
    expect(await text(page, '#camera')).toBe('Start the camera');
    await page.close();
  });

  it('takes weights that are dropped, and tells of files that are none', async () => {
    const page = await site.open('demo.html');
    await ready(page);
    const dropped = (name: string, bytes: number[]) =>
      page.evaluate(
        (file, content) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(content)], file));
          document.dispatchEvent(new DragEvent('drop', { dataTransfer: data }));
        },
        name,
        bytes,
      );
    await dropped('broken.safetensors', [1, 2, 3]);
    await page.waitForSelector('#message:not([hidden])');
    expect(await text(page, '#message')).toContain('cannot be loaded');
    await dropped('broken.jpg', [1, 2, 3]);
    await page.waitForFunction(() => document.getElementById('message')?.textContent?.includes('picture'));
    // Still there: the network that was loaded before.
    await page.click('#samples button');
    await page.waitForSelector('#answers tr');
    const weights = await page.$('#file');
    await (weights as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(
      resolve('checkpoints/mobilenet_v3_small.safetensors'),
    );
    await page.waitForFunction(() => document.getElementById('model')?.textContent?.includes('float weights'));
    await page.close();
  });
}

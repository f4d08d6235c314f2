// node bench/page/screenshots.mjs (after npm run page:build): the README's pictures of the page and the demo, as a phone shows them.
import puppeteer from 'puppeteer-core';
import sharp from 'sharp';
import { preview } from 'vite';

const SHOTS = new URL('../results/', import.meta.url).pathname;
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

const server = await preview({ configFile: 'bench/page/vite.config.ts', preview: { port: 4173 } });
const [address] = server.resolvedUrls.local;
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage();
await page.setViewport(PHONE);
/** Few colours: a screenshot is small then. */
const shoot = async (name) =>
  sharp(await page.screenshot({ captureBeyondViewport: true, clip: { x: 0, y: 0, width: 360, height: 1300 } }))
    .png({ palette: true, colours: 128, compressionLevel: 9 })
    .toFile(`${SHOTS}${name}.png`);

await page.goto(address);
await page.click('#start');
await page.waitForFunction(() => document.getElementById('running').hidden, { timeout: 300_000 });
await shoot('page');
await page.goto(`${address}demo.html`);
await page.waitForFunction(() => /classes/.test(document.getElementById('model').textContent));
await page.click('#samples button');
await page.waitForSelector('#answers tr');
await page.waitForFunction(() => document.getElementById('picture').naturalWidth > 0);
await shoot('demo');
await browser.close();
await server.close();

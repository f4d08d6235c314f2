// A site for tests in browsers: files in memory, pages bundled by esbuild with no configuration, as a user's are.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';

export interface Site {
  /** Ends with a slash. */
  readonly address: string;
  /** Headers of all answers from now on. */
  headers: Record<string, string>;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** The bodies that were sent. */
  readonly sent: string[];
  serve(path: string, body: Uint8Array | string, type?: string): void;
  close(): void;
}

/** @param scripts files of test/browsers/; /NAME.js serves each, and /NAME a page that runs it */
export async function openSite(...scripts: string[]): Promise<Site> {
  const files = new Map<string, { body: Uint8Array | string; type: string }>();
  const asked: string[] = [];
  const sent: string[] = [];
  const serve: Site['serve'] = (path, body, type = 'application/octet-stream') => void files.set(path, { body, type });
  const { outputFiles } = await build({
    entryPoints: scripts.map((name) => `test/browsers/${name}.js`),
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: '/',
    write: false,
    tsconfigRaw: '{}',
  });
  for (const { path, contents } of outputFiles) serve(path, contents, 'text/javascript');
  for (const name of scripts) serve(`/${name}`, `<!doctype html><script type="module" src="/${name}.js"></script>`, 'text/html');
  const server = createServer(async (request: IncomingMessage, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    asked.push(pathname);
    const file = files.get(pathname);
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain', ...site.headers });
    response.end(file?.body);
    const body = Buffer.concat(await request.toArray()).toString();
    if (body) sent.push(body);
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  const site: Site = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    headers: {},
    asked,
    sent,
    serve,
    close: () => void server.close(),
  };
  return site;
}

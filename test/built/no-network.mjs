// Preloaded by requests.test.ts: every way to the network notes who asked for it in the file that ASKED names, and fails.
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import net from 'node:net';

function refuse(what) {
  return () => {
    appendFileSync(process.env.ASKED, `${what}: ${new Error().stack}\n`);
    throw new Error(`${what} is refused`);
  };
}

net.Socket.prototype.connect = refuse('connect');
dgram.createSocket = refuse('a datagram');
dgram.Socket.prototype.send = refuse('a datagram');
for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6']) {
  dns[name] = refuse(`dns.${name}`);
  dns.promises[name] = refuse(`dns.${name}`);
}
globalThis.fetch = refuse('fetch');
if (globalThis.WebSocket) globalThis.WebSocket = refuse('WebSocket');

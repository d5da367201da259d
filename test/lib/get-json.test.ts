import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { describe, expect, it } from 'vitest';
import { getJson } from '../../src/lib/get-json.ts';
import { makeCertificate } from '../support/certificate.ts';
import { listenOnLoopback } from '../support/ports.ts';

/** What comes of asking a server that answers so. */
async function ask(answer: RequestListener): Promise<unknown> {
  const server = createServer(answer);
  const port = await listenOnLoopback(server);
  try {
    return await getJson(`http://127.0.0.1:${port}/document`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('a JSON document', () => {
  it('is fetched', async () => {
    expect(await ask((incoming, outgoing) => outgoing.end(JSON.stringify({ path: incoming.url })))).toEqual({
      path: '/document',
    });
  });

  it('is not looked for elsewhere', async () => {
    const redirect: RequestListener = (_, outgoing) =>
      outgoing.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end();
    await expect(ask(redirect)).rejects.toThrow(/\/document answered 302$/);
  });

  it('is not read on when it is long', async () => {
    await expect(ask((_, outgoing) => outgoing.end(`"${'x'.repeat(256 * 1024)}"`))).rejects.toThrow(
      'more than 256 KiB',
    );
  });

  it('may be none, or be cut off', async () => {
    await expect(ask((_, outgoing) => outgoing.end('<html>'))).rejects.toThrow(SyntaxError);
    await expect(ask((_, outgoing) => outgoing.writeHead(200, { 'Content-Length': 9 }).end('{}'))).rejects.toThrow();
    await expect(ask((incoming) => incoming.destroy())).rejects.toThrow();
  });

  it('comes over TLS from whom one of the authorities vouches for, and from nobody else', async () => {
    const authority = makeCertificate({ name: 'authority' });
    const { certificate, key } = makeCertificate({ name: 'issuer', hosts: ['127.0.0.1'], issuer: authority });
    const server = createSecureServer({ cert: certificate, key }, (_, outgoing) => outgoing.end('1'));
    const url = `https://127.0.0.1:${await listenOnLoopback(server)}/`;
    try {
      expect(await getJson(url, Buffer.from(authority.certificate))).toBe(1);
      await expect(getJson(url, Buffer.from(makeCertificate({ name: 'other' }).certificate))).rejects.toThrow();
      await expect(getJson(url)).rejects.toThrow();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

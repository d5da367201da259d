import { describe, expect, it } from 'vitest';
import { downloadBlob, downloadBytes } from '../../bench/clients/download.ts';
import { createBlobGenerator, wholeBlob } from '../../bench/data/blob.ts';
import { fin, head, respond, send } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

const blob = createBlobGenerator()(1, 200_000);

describe('the client of the benchmark', () => {
  it('takes a blob that is right', async () => {
    await using server = await startScriptedUpstream();
    server.on('GET', /^\/blob$/, [respond(200, [['ETag', '"x"']], wholeBlob(blob))]);
    const { headers, firstByte, total } = await downloadBlob(`${server.url}/blob`, blob);
    expect(headers).toContainEqual(['ETag', '"x"']);
    expect(firstByte).toBeLessThanOrEqual(total);
  });

  it('sends header fields and gives the bytes', async () => {
    await using server = await startScriptedUpstream();
    server.on('GET', /^\/manifest$/, [respond(200, [], Buffer.from('{}'))]);
    const { bytes } = await downloadBytes(`${server.url}/manifest`, [['Accept', 'a/b']]);
    expect(bytes.toString()).toBe('{}');
    expect(server.requests[0]?.headers).toContainEqual(['Accept', 'a/b']);
  });

  it('refuses one wrong byte', async () => {
    await using server = await startScriptedUpstream();
    const bytes = wholeBlob(blob);
    bytes.writeUInt8(bytes.readUInt8(150_000) ^ 1, 150_000);
    server.on('GET', /^\/blob$/, [respond(200, [], bytes)]);
    await expect(downloadBlob(`${server.url}/blob`, blob)).rejects.toThrow(/wrong bytes/);
  });

  it('refuses a blob that is cut', async () => {
    await using server = await startScriptedUpstream();
    const half = wholeBlob(blob).subarray(0, 100_000);
    server.on('GET', /^\/blob$/, [head(200, [`Content-Length: ${blob.size}`]), send(half), fin()]);
    await expect(downloadBlob(`${server.url}/blob`, blob)).rejects.toThrow(/cut off/);
  });

  it.each([
    ['an error', 404, ['Content-Length: 0']],
    ['an answer of unknown length', 200, ['Transfer-Encoding: chunked']],
  ])('refuses %s', async (_, status, lines) => {
    await using server = await startScriptedUpstream();
    server.on('GET', /^\/blob$/, [head(status, lines), fin()]);
    await expect(downloadBlob(`${server.url}/blob`, blob)).rejects.toThrow(/unexpected answer/);
  });
});

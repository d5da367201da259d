import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createTelemetry } from '../../src/admin/telemetry.ts';
import { unavailable } from '../../src/domain/unavailable.ts';
import type { AppliedFix } from '../../src/fixes/run.ts';
import { finishedRequest, someMetrics } from './records.ts';

/** Telemetry and the log lines that it wrote. */
function startTelemetry(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, telemetry: createTelemetry(logger, someMetrics(), () => undefined) };
}

const [INFO, WARN, ERROR] = [30, 40, 50];

describe('the log line of a request', () => {
  it('has these fields and no others', () => {
    const { lines, telemetry } = startTelemetry();
    telemetry.requestFinished(
      finishedRequest({ seconds: 0.001_234_567, fixes: [{ id: 'a', mode: 'on', note: 'did it' }] }),
    );
    expect(lines).toEqual([
      {
        level: INFO,
        time: expect.any(Number),
        pid: expect.any(Number),
        hostname: expect.any(String),
        msg: 'request',
        id: 'run-1',
        endpoint: 'default',
        kind: 'manifest',
        method: 'GET',
        path: '/v2/team/app/manifests/latest',
        status: 200,
        cache: 'hit',
        bytesSent: 100,
        milliseconds: 1.235,
        client: '127.0.0.1',
        userAgent: 'test/1',
        fixes: [{ id: 'a', mode: 'on', note: 'did it' }],
      },
    ]);
  });

  it('leaves out what there is nothing to say about', () => {
    const { lines, telemetry } = startTelemetry();
    telemetry.requestFinished(finishedRequest({ cache: undefined, userAgent: undefined }));
    expect(Object.keys(lines[0] ?? {})).not.toEqual(expect.arrayContaining(['cache', 'userAgent', 'fixes', 'err']));
    for (const name of ['cache', 'userAgent', 'fixes', 'err']) expect(lines[0]).not.toHaveProperty(name);
  });

  it.each([
    ['that was refused', { status: 404, error: new Error('no') }, INFO],
    ['whose client left', { status: 499, error: new Error('gone') }, INFO],
    ['that the registry failed', { status: 502, error: unavailable('The registry', new Error('x')) }, WARN],
    ['that broke off', { status: 200, error: new Error('wrong digest') }, WARN],
  ])('is as loud as it deserves for one %s, and says why', (_, overrides, level) => {
    const { lines, telemetry } = startTelemetry();
    telemetry.requestFinished(finishedRequest(overrides));
    expect(lines).toMatchObject([{ level, err: { message: expect.stringContaining(overrides.error.message) } }]);
  });

  it('is not made when the operator wants none', () => {
    const { lines, telemetry } = startTelemetry('warn');
    telemetry.requestFinished(finishedRequest());
    expect(lines).toEqual([]);
  });
});

describe('a fix that fails', () => {
  const failing = (id: string): AppliedFix => ({
    id,
    mode: 'on',
    note: 'failed',
    failure: new TypeError(`${id} is broken`),
  });

  it('is logged once, with its cause', () => {
    const { lines, telemetry } = startTelemetry();
    for (const _ of [1, 2, 3]) telemetry.requestFinished(finishedRequest({ fixes: [failing('a'), failing('b')] }));
    const loud = lines.filter(({ level }) => level === ERROR);
    expect(loud).toMatchObject([
      { endpoint: 'default', fix: 'a', err: { type: 'TypeError', message: 'a is broken' } },
      { endpoint: 'default', fix: 'b', err: { message: 'b is broken' } },
    ]);
    expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(3);
  });
});

describe('a warning', () => {
  it('is logged with its facts', () => {
    const { lines, telemetry } = startTelemetry();
    telemetry.warn('something is odd', { digest: 'sha256:0', err: new Error('why') });
    expect(lines).toMatchObject([
      { level: WARN, msg: 'something is odd', digest: 'sha256:0', err: { message: 'why' } },
    ]);
  });
});

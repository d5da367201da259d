import { describe, expect, it } from 'vitest';
import { unavailable } from '../../src/domain/unavailable.ts';
import { UpstreamRefusal } from '../../src/domain/upstream-refusal.ts';

describe('unavailable', () => {
  it.each([
    ['ECONNREFUSED', 502, 'hub refused the connection'],
    ['UND_ERR_HEADERS_TIMEOUT', 504, 'hub accepted the request but did not answer in time'],
    ['HPE_INVALID_CONSTANT', 502, 'hub answered with something that is not HTTP'],
    ['HPE_HEADER_OVERFLOW', 502, 'hub answered with more header fields than manifix accepts'],
    ['CERT_HAS_EXPIRED', 502, 'hub could not be reached over TLS (CERT_HAS_EXPIRED)'],
    ['EWHATEVER', 502, 'hub could not be asked (EWHATEVER)'],
  ])('says what %s means', (code, status, message) => {
    const cause = Object.assign(new Error('x'), { code });
    const error = unavailable('hub', cause);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status, message, cause });
    expect(error.explanation).toContain(message);
  });

  it.each([undefined, null, 'text', {}, { code: 7 }])('copes with %j instead of an error', (cause) => {
    expect(unavailable('hub', cause)).toMatchObject({ status: 502, message: 'hub could not be asked (no error code)' });
  });
});

describe('UpstreamRefusal', () => {
  it('keeps the answer and names its status', () => {
    const response = { status: 404, headers: [], body: new Uint8Array() };
    expect(new UpstreamRefusal(response)).toMatchObject({ response, message: 'the registry answered with status 404' });
  });
});

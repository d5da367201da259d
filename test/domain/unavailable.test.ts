import { describe, expect, it } from 'vitest';
import { ProxyFailure } from '../../src/domain/http-proxy.ts';
import { unavailable } from '../../src/domain/unavailable.ts';

const withCode = (code: unknown) => Object.assign(new Error('secret detail'), { code });

describe('a registry without an answer', () => {
  it.each([
    ['ECONNREFUSED', 502, 'refused the connection'],
    ['ENOTFOUND', 502, 'has a host name that does not exist'],
    ['ECONNRESET', 502, 'closed the connection before its answer was complete'],
    ['UND_ERR_SOCKET', 502, 'closed the connection before its answer was complete'],
    ['HPE_INVALID_CONSTANT', 502, 'answered with something that is not HTTP'],
    ['HPE_HEADER_OVERFLOW', 502, 'answered with more header fields than manifix accepts'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 502, 'could not be reached over TLS (ERR_SSL_WRONG_VERSION_NUMBER)'],
    ['ESOMETHING', 502, 'could not be asked (ESOMETHING)'],
    ['ETIMEDOUT', 504, 'did not answer in time'],
    ['UND_ERR_CONNECT_TIMEOUT', 504, 'did not accept the connection in time'],
    ['UND_ERR_HEADERS_TIMEOUT', 504, 'accepted the request but did not answer in time'],
    ['UND_ERR_BODY_TIMEOUT', 504, 'stopped sending in the middle of its answer'],
  ])('because of %s is a %i that says so', (code, status, reason) => {
    const cause = withCode(code);
    const error = unavailable('The registry hub', cause);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status, message: `The registry hub ${reason}`, cause });
    expect(error.explanation).toBe(`The registry hub ${reason}, so there is no answer to pass on.`);
  });

  it.each([
    ['CERT_HAS_EXPIRED', 'has a certificate that has expired', 'Renew it there.'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'has a certificate from an authority that is not trusted here', 'set tls.ca'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'has a certificate from an authority that is not trusted here', 'set tls.ca'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate that is not for this host name', 'set url'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'wants a certificate from clients', 'Set tls.cert and tls.key'],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'wants a certificate from clients', 'Set tls.cert and tls.key'],
  ])('because of %s is a 502 that names the trouble with the certificate and the way out', (code, reason, remedy) => {
    const { status, explanation } = unavailable('The registry hub', withCode(code));
    expect(status).toBe(502);
    expect(explanation).toContain(`The registry hub ${reason}`);
    expect(explanation).toContain(code);
    expect(explanation).toContain(remedy);
  });

  it.each(['EMFILE', 'ENFILE'])('because of %s is our own trouble, and soon over', (code) => {
    const error = unavailable('The registry hub', withCode(code));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', status: 503, headers: [['Retry-After', '1']] });
    expect(error.explanation).toMatch(/^manifix has run out of file descriptors/);
  });

  it('is explained by the name of an error that has no code, and never by its message', () => {
    const parserError = Object.assign(withCode(undefined), { name: 'HTTPParserError' });
    expect(unavailable('It', parserError).message).toBe('It answered with something that is not HTTP');
    expect(unavailable('It', new TypeError('secret')).message).toBe('It could not be asked (TypeError)');
    expect(unavailable('It', 'secret').message).toBe('It could not be asked (no error code)');
  });
});

describe('a registry behind a proxy', () => {
  const proxy = { origin: 'http://proxy.example.com:3128', login: { username: 'robot', password: 'hunter2' } };
  const because = 'The registry hub could not be reached, because its proxy http://proxy.example.com:3128';
  const target = 'registry.example.com:443';

  it.each([
    ['ECONNREFUSED', 502, 'refused the connection', ''],
    ['ETIMEDOUT', 504, 'did not answer in time', ''],
    ['CERT_HAS_EXPIRED', 502, 'has a certificate that has expired (CERT_HAS_EXPIRED)', ' Renew it there.'],
  ])('that cannot be asked because of %s is a %i that names the proxy', (code, status, reason, remedy) => {
    const cause = new ProxyFailure(proxy, { cause: withCode(code) });
    const error = unavailable('The registry hub', cause);
    expect(error).toMatchObject({ status, message: `${because} ${reason}`, cause });
    expect(error.explanation).toBe(`${because} ${reason}, so there is no answer to pass on.${remedy}`);
  });

  it.each([
    [407, true, 'does not let manifix in (407) with the user name and password of its configuration'],
    [407, false, 'does not let manifix in (407) without a user name and a password'],
    [403, true, `refuses a connection to ${target} (403)`],
    [404, true, `got no connection to ${target} (404)`],
    [302, true, `got no connection to ${target} (302)`],
    [503, true, `got no connection to ${target} (503)`],
  ])('that answers %i, login %s, is explained', (status, loggedIn, reason) => {
    const refusal = { status, target, loggedIn };
    expect(unavailable('The registry hub', new ProxyFailure(proxy, { refusal }))).toMatchObject({
      status: 502,
      message: `${because} ${reason}`,
    });
  });

  it('for which no file descriptor is left is our own trouble', () => {
    const error = unavailable('The registry hub', new ProxyFailure(proxy, { cause: withCode('EMFILE') }));
    expect(error).toMatchObject({ status: 503 });
  });
});

import { describe, expect, it } from 'vitest';
import type { RegistryError } from '../../src/domain/errors.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { html200 } from '../../src/fixes/html-200.ts';
import { sampleImages } from '../support/images.ts';
import { manifestView } from '../support/views.ts';

function refusal(body: string | Uint8Array, headers: HeaderList = []): RegistryError | undefined {
  return html200.manifest?.(manifestView({ body, headers }), {})?.refuse;
}

describe('html-200', () => {
  it('refuses a login page with a 502 that says what came', () => {
    const page = '<html><head><title>Sign in</title></head>\n<body>\n<p>Welcome to the guest network</p></body></html>';
    const error = refusal(page, [['Content-Type', 'text/html; charset=utf-8']]);
    expect(error?.message).toBe('upstream returned text/html instead of a manifest');
    expect(error).toMatchObject({
      code: 'UNKNOWN',
      status: 502,
      explanation:
        'The registry answered 200 with text/html that begins with "Sign in Welcome to the guest network".' +
        ' It is not JSON. Look for a login page, a firewall or a proxy between manifix and the registry.',
      fix: 'html-200',
    });
  });

  it('names no type that did not come', () => {
    expect(refusal('Blocked')?.message).toBe('upstream returned an untyped document instead of a manifest');
  });

  it.each([
    ['nothing', '', 'without readable text. It is not JSON.'],
    ['tags only', '<script></script>\n', 'without readable text. It is not JSON.'],
    ['a JSON string', '"$manifest"', 'It is a JSON string, not an object.'],
    ['a JSON array', '[]', 'It is a JSON array, not an object.'],
    ['cut JSON', '{"schemaVersion":2,', 'It is not JSON.'],
    ['two documents', '{}{}', 'More follows after the JSON.'],
    ['a byte order mark', '\ufeff{"schemaVersion":2,"manifests":[]}', 'It starts with a byte order mark'],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 'It is not UTF-8.'],
    ['JSON nested 100,000 deep', '['.repeat(100_000), 'It is nested deeper than any manifest.'],
  ])('refuses %s and says what is wrong with it', (_, body, cause) => {
    const error = refusal(body);
    expect(error?.status).toBe(502);
    expect(error?.explanation).toContain(cause);
  });

  it('shows at most 60 characters, none of them a control character or half of a pair', () => {
    const explanation = refusal(`${'😀'.repeat(59)}\u001b[31mXY${'z'.repeat(10_000)}`)?.explanation ?? '';
    expect(/begins with "(.*)"\./u.exec(explanation)?.[1]).toBe('😀'.repeat(59));
    expect(refusal('z'.repeat(10_000))?.explanation).toContain(`"${'z'.repeat(60)}"`);
  });

  it('leaves manifests, and any other JSON object, alone', () => {
    for (const { bytes } of sampleImages()) expect(refusal(bytes)).toBeUndefined();
    expect(refusal('{}')).toBeUndefined();
  });
});

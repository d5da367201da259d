import { describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { explainManifestBody } from '../../src/fixes/explain-manifest-body.ts';
import { sampleImage } from '../support/images.ts';
import { manifestPutView, requestView } from '../support/views.ts';

const explain = (body: string | Uint8Array, type = DOCKER_MANIFEST as string) =>
  explainManifestBody(manifestPutView(body, { headers: [['Content-Type', type]] }));

const docker = sampleImage('docker-amd64').bytes;
const text = docker.toString();

describe('the body of a refused manifest', () => {
  it.each([
    [
      'a quoted variable',
      '"$manifests"',
      'The body is the text "$manifests" and not a manifest',
      'the value of $manifests',
    ],
    ['a variable', '$manifests\n', 'The body is the text $manifests', 'Use double quotes around it alone'],
    ['a braced variable', `$\{MANIFEST}`, `The body is the text $\{MANIFEST}`, `the value of $\{MANIFEST}`],
    ['a command', '"$(cat Manifest.json)"', 'the text "$(cat Manifest.json)"', 'the value of $(cat Manifest.json)'],
    ['a JSON string', '"latest"', 'The body is the JSON string "latest" and not a manifest', '--data-binary'],
    ['a manifest in a JSON string', JSON.stringify(text), 'it was serialised twice', 'Send the text of the manifest'],
    ['an array', '[]', '[] is not an object', 'The body is JSON'],
    ['a number', '12', '12 is not an object', 'The body is JSON'],
    ['null', 'null', 'null is not an object', 'The body is JSON'],
    ['nothing', '', 'An empty body arrived', 'an unset variable or an unreadable file'],
    ['a byte order mark', `\ufeff${text}`, 'byte order mark (EF BB BF)', 'Save the manifest as UTF-8 without it'],
    ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le'), 'The body is UTF-16', 'PowerShell'],
    [
      'UTF-16, the other way round',
      Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
      'The body is UTF-16',
      'PowerShell',
    ],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), 'The body is not UTF-8 text', 'it is compressed'],
    ['bytes that only begin like UTF-16', Buffer.from([0xff, 0x20]), 'The body is not UTF-8 text', 'it is compressed'],
    [
      'bytes that only begin like the other UTF-16',
      Buffer.from([0xfe, 0x20]),
      'The body is not UTF-8 text',
      'it is compressed',
    ],
    ['a form', `manifest=${text}`, 'The body is a form, a name in front of =', '--data-binary'],
    ['an encoded form', encodeURIComponent(text), 'The body is percent-encoded', '--data-binary'],
    [
      'a multipart form',
      '--------------x\r\nContent-Disposition: form-data',
      'The body is a multipart form',
      'curl -F',
    ],
    ['a page', '<html><body>x</body></html>', 'The body is HTML or XML', 'curl -f'],
    ['a file name', '@manifest.json', 'The body is the name of a file', '--data-binary'],
    ['a manifest cut off', text.slice(0, 100), 'ends after 100 bytes', 'A Content-Length that is too small'],
    [
      'a syntax error',
      '{"schemaVersion":2,}',
      'The body is not JSON; it begins with {"schemaVersion":2,}',
      '--data-binary',
    ],
    ['two manifests', `${text}${text}`, 'Something follows the manifest', 'one JSON object'],
    ['deep nesting', '['.repeat(1000), 'nested far more deeply', 'than any manifest'],
    [
      'an error answer',
      '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}',
      'an error answer of a registry (MANIFEST_UNKNOWN)',
      'curl -f',
    ],
    ['an empty object', '{}', 'neither an image manifest (config and layers) nor an index', 'manifests'],
    [
      'a repeated key',
      '{"schemaVersion":2,"manifests":[],"manifests":[]}',
      'The manifest repeats a member',
      'Write each member once',
    ],
    [
      'an index that calls itself a manifest',
      `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","manifests":[]}`,
      `The manifest calls itself ${OCI_MANIFEST}, but has the members of an index`,
      'Correct its mediaType',
    ],
    [
      'a manifest that calls itself an index',
      `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","config":{},"layers":[]}`,
      `The manifest calls itself ${OCI_INDEX}, but has the members of an image manifest`,
      'Correct its mediaType',
    ],
  ])('is recognised: %s', (_, body, arrived, todo) => {
    expect(explain(body)).toContain(arrived);
    expect(explain(body)).toContain(todo);
  });

  it('is compared with its Content-Type', () => {
    expect(explain(docker, OCI_MANIFEST)).toBe(
      `The manifest is ${DOCKER_MANIFEST}, but was sent as ${OCI_MANIFEST}. Send the former as its Content-Type.`,
    );
    expect(explainManifestBody(manifestPutView(docker))).toContain('but was sent as nothing at all');
  });

  it('is quoted on one short line', () => {
    const quoted = explain(`{"a":\u0000\n${'x'.repeat(100)}}`);
    expect(quoted).toContain(`it begins with {"a": ${'x'.repeat(34)}....`);
  });

  it('gives no reason to guess from when it is sound', () => {
    expect(explain(docker)).toBeUndefined();
    expect(explain(`{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[]}`, OCI_INDEX)).toBeUndefined();
    expect(explain('{"schemaVersion":1,"mediaType":"a/b","config":{},"layers":[]}')).toContain('calls itself a/b');
    expect(explain('{"schemaVersion":1,"config":{},"layers":[]}')).toBeUndefined();
    expect(explain('{"schemaVersion":2,"mediaType":"a/b","manifests":[],"config":{}}')).toBeUndefined();
    expect(explainManifestBody(requestView({ method: 'PUT' }))).toBeUndefined();
  });
});

import type { IncomingMessage } from 'node:http';
import { RegistryError } from '../domain/errors.ts';

// Node also takes requests of HTTP/0.9 and 2.0 for its own.
const KNOWN_VERSION = /^1\.[01]$/;

/** Node reads no more fields than these, and leaves the others away without a word. */
const MAX_FIELDS = 2_000;

/** Refuses a message that Node read, but not as it was meant. @throws RegistryError */
export function checkForm({ httpVersion, rawHeaders }: IncomingMessage): void {
  if (!KNOWN_VERSION.test(httpVersion)) {
    throw new RegistryError('UNSUPPORTED', {
      status: 505,
      message: 'the version of HTTP is not supported',
      explanation: `The request says HTTP/${httpVersion}; manifix speaks HTTP/1.1 and HTTP/1.0.`,
      headers: [['Connection', 'close']],
    });
  }
  if (rawHeaders.length / 2 >= MAX_FIELDS) {
    throw new RegistryError('UNSUPPORTED', {
      status: 431,
      message: `the request has ${MAX_FIELDS} header fields or more`,
    });
  }
}

import { RegistryError } from '../domain/errors.ts';

/** What a client hears that put its credentials where they do not belong. */
export function credentialsInUrl(): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    status: 400,
    message: 'the URL holds credentials',
    explanation:
      'Credentials in a URL get into logs and into other hands. Leave them out of it, and log in: docker login, or the field ' +
      'Authorization.',
  });
}

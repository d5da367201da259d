const NAME = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;

/** What is wrong with the name of an upstream, an endpoint or an issuer; undefined when it can be used. */
export function nameMistake(name: string): string | undefined {
  return NAME.test(name)
    ? undefined
    : 'a name is made of lower-case letters and digits, with ".", "_" or "-" between them';
}

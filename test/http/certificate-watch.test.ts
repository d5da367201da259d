import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCertificate, watchCertificate } from '../../src/http/certificate-watch.ts';
import type { CertificateFiles } from '../../src/lib/certificate.ts';
import { createManualClock } from '../store/support/manual-clock.ts';
import { arrivals } from '../support/arrivals.ts';
import { makeCertificate } from '../support/certificate.ts';
import { within } from '../support/deadline.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const [first, second, third] = ['first', 'second', 'third'].map((name) => makeCertificate({ name }));
type Made = ReturnType<typeof makeCertificate>;

async function write(files: CertificateFiles, made: Made | undefined): Promise<void> {
  await writeFile(files.cert, made?.certificate ?? 'broken');
  await writeFile(files.key, made?.key ?? 'broken');
}

/** A watch over two files that begin with the first certificate. */
async function startWatch() {
  const directory = await temporaryDirectory();
  const files = { cert: join(directory.path, 'tls.crt'), key: join(directory.path, 'tls.key') };
  await write(files, first);
  const clock = createManualClock();
  const used = arrivals<string>();
  const logged = arrivals<string>();
  const watch = watchCertificate({
    clock,
    files,
    served: await readCertificate(files),
    use: ({ cert }) => used.add(cert.toString()),
    log: (level, message, facts) => logged.add(`${level}: ${message} ${JSON.stringify(facts)}`),
  });
  const stop = async () => {
    watch.stop();
    await directory.remove();
  };
  return { directory: directory.path, files, clock, used, logged, watch, stop, [Symbol.asyncDispose]: stop };
}

/** Lets the watch look at its files as time does, and waits until it has. */
async function look({ clock }: { readonly clock: ReturnType<typeof createManualClock> }): Promise<void> {
  clock.advance(5_000);
  await within('the look at the files', clock.waitedFor(5_000));
}

describe('the certificate that is served', () => {
  it('follows its files, and says until when the new one is valid', async () => {
    await using watch = await startWatch();
    await look(watch);
    expect(watch.used.all).toEqual([]);
    await write(watch.files, second);
    await look(watch);
    await look(watch);
    expect(watch.used.all).toEqual([second?.certificate]);
    expect(watch.logged.all).toEqual([expect.stringMatching(/^info: the TLS certificate was replaced .*2049 GMT/)]);
  });

  it('stays while the files are broken, which is said once, and until they are whole', async () => {
    await using watch = await startWatch();
    await write(watch.files, undefined);
    await look(watch);
    await look(watch);
    expect(watch.used.all).toEqual([]);
    expect(watch.logged.all).toEqual([expect.stringContaining('tls.crt holds no certificate in PEM')]);
    await rm(watch.files.cert);
    await look(watch);
    expect(watch.logged.all[1]).toMatch(/^warn: .*old one stays.*tls\.crt cannot be read: no such file/);
    await write(watch.files, second);
    await look(watch);
    expect(watch.used.all).toEqual([second?.certificate]);
  });

  it('waits for the key that belongs to it', async () => {
    await using watch = await startWatch();
    await writeFile(watch.files.cert, second?.certificate ?? '');
    await look(watch);
    expect(watch.used.all).toEqual([]);
    await writeFile(watch.files.key, second?.key ?? '');
    await look(watch);
    expect(watch.used.all).toEqual([second?.certificate]);
  });

  it('is found behind a symbolic link that was swapped, as Kubernetes does', async () => {
    await using watch = await startWatch();
    const next = join(watch.directory, 'next.crt');
    await writeFile(next, third?.certificate ?? '');
    await symlink(next, join(watch.directory, 'link'));
    await rename(join(watch.directory, 'link'), watch.files.cert);
    await writeFile(watch.files.key, third?.key ?? '');
    await look(watch);
    expect(watch.used.all).toEqual([third?.certificate]);
  });

  it('is looked for at once, and elsewhere, when the configuration is read again', async () => {
    await using watch = await startWatch();
    const others = { cert: join(watch.directory, 'other.crt'), key: join(watch.directory, 'other.key') };
    await write(others, second);
    await watch.watch.reload(others);
    expect(watch.used.all).toEqual([second?.certificate]);
  });
});

it('follows the authorities that vouch for clients, and keeps them while their file is broken', async () => {
  await using watch = await startWatch();
  const clientAuthorities = join(watch.directory, 'clients.crt');
  const files = { ...watch.files, clientAuthorities };
  await writeFile(clientAuthorities, second?.certificate ?? '');
  await watch.watch.reload(files);
  expect((await readCertificate(files)).ca?.toString()).toBe(second?.certificate);
  await writeFile(clientAuthorities, 'broken');
  await look(watch);
  expect(watch.logged.all.at(-1)).toContain('clients.crt holds no certificate in PEM');
  await writeFile(clientAuthorities, third?.certificate ?? '');
  await look(watch);
  await look(watch);
  expect(watch.used.all).toEqual([first?.certificate, first?.certificate]);
});

it('names the file that cannot be read', async () => {
  await using watch = await startWatch();
  const missing = join(watch.directory, 'missing');
  await expect(readCertificate({ ...watch.files, key: missing })).rejects.toThrow(
    `${missing} cannot be read: no such file or directory`,
  );
});

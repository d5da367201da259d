import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Log } from '../lib/logger.ts';
import { describeSystemError } from '../lib/system-error.ts';
import { DAY } from '../lib/units.ts';

/** A pair with which tokens are signed. */
export interface TokenKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** The keys of manifix's own tokens, which outlive the process in a file. */
export interface TokenKeys {
  /** The one to sign with: a new one when the last is a month old. */
  current(): Promise<TokenKey>;
  find(id: string): TokenKey | undefined;
}

const ROTATED_AFTER = 30 * DAY;
/** Longer than any token lasts that was signed on a key's last day. */
const FORGOTTEN_AFTER = 150 * DAY;

/** @throws Error with a sentence when the file is there and cannot be used: new keys would end all sessions without a word */
export async function openTokenKeys(path: string, now: () => number, log: Log): Promise<TokenKeys> {
  let keys = await readKeys(path);
  let rotating: Promise<TokenKey> | undefined;

  async function rotate(): Promise<TokenKey> {
    const made = makeKey(now());
    const kept = [...keys, made].filter(({ createdAt }) => now() - createdAt < FORGOTTEN_AFTER);
    try {
      await writeKeys(path, kept);
    } catch (error) {
      log('warn', 'the keys of tokens cannot be kept; tokens end with this process', {
        path,
        problem: describeSystemError(error),
      });
    }
    keys = kept;
    return made;
  }

  return {
    async current() {
      const newest = keys.at(-1);
      if (newest !== undefined && now() - newest.createdAt < ROTATED_AFTER) return newest;
      rotating ??= rotate().finally(() => {
        rotating = undefined;
      });
      return rotating;
    },
    find: (id) => keys.find((key) => key.id === id),
  };
}

function makeKey(createdAt: number): TokenKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { id: randomBytes(9).toString('base64url'), privateKey, publicKey, createdAt };
}

async function readKeys(path: string): Promise<readonly TokenKey[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`${path}: ${describeSystemError(error)}`, { cause: error });
  });
  if (text === undefined) return [];
  try {
    // The file is manifix's own; what does not fit fails below.
    const { keys } = JSON.parse(text) as { keys: readonly { id: string; createdAt: number; pem: string }[] };
    return keys.map(({ id, createdAt, pem }) => {
      const privateKey = createPrivateKey(pem);
      return { id, createdAt, privateKey, publicKey: createPublicKey(privateKey) };
    });
  } catch (error) {
    throw new Error(`${path} is damaged: put back a copy, or remove it, which ends all logins`, { cause: error });
  }
}

async function writeKeys(path: string, keys: readonly TokenKey[]): Promise<void> {
  const written = keys.map(({ id, createdAt, privateKey }) => ({
    id,
    createdAt,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }));
  const part = `${path}.new`;
  await writeFile(part, `${JSON.stringify({ keys: written }, undefined, 2)}\n`, { mode: 0o600, flush: true });
  await rename(part, path);
}

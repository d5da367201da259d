#!/usr/bin/env node
// A checkout runs its sources as they are. An installed package runs what was built from them: Node strips no types below
// node_modules. This file is JavaScript so that the compile cache is on before the first TypeScript is read: the program that
// strips types takes longer to load than all of manifix.
import { existsSync } from 'node:fs';
import module from 'node:module';

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `manifix needs Node ${OLDEST_NODE} or newer; this is ${process.version}. In a checkout, "npm run manifix -- COMMAND" uses the right one.\n`,
  );
  process.exit(1);
}
module.enableCompileCache();
const source = new URL('../src/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);

import { readFileSync, writeFileSync } from 'node:fs';
import { catalogueTable } from '../fixes/catalogue-table.ts';
import { FIXES } from '../fixes/index.ts';
import { describeConfiguration } from './describe.ts';

// `npm run docs` writes the reference; a test holds it to be up to date.
const root = new URL('../../', import.meta.url);
const example = readFileSync(new URL('config.yaml', root), 'utf8');
writeFileSync(new URL('docs/configuration.md', root), describeConfiguration(FIXES, example));

const catalogue = new URL('docs/fixes/README.md', root);
const [introduction = ''] = readFileSync(catalogue, 'utf8').split('\n|', 1);
writeFileSync(catalogue, `${introduction}\n${catalogueTable()}`);

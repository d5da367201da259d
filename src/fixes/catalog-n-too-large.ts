import type { Fix } from './fix.ts';
import { pageOf, withPage } from './page-query.ts';

/** What registries allow: docker-registry 2.8 and ECR a thousand, others a hundred. */
const PAGE_SIZES = [1000, 100];

/** Older interfaces ask for 100,000 repositories at once; registries limited the page when that was used to stop them. */
export const catalogNTooLarge: Fix = {
  id: 'catalog-n-too-large',
  title: 'A list that is asked for in a page larger than the registry allows comes in the largest page that it gives',
  symptom: '400 `PAGINATION_NUMBER_INVALID` for `_catalog?n=5000`',
  defaultMode: 'on',
  digest: 'unchanged',
  options: {
    aggregate: {
      values: ['no', 'yes'],
      default: 'no',
      description:
        'Whether manifix puts the pages of the catalogue together until there are as many repositories as were asked for, ' +
        'for clients that do not follow `Link`.',
    },
  },
  list: (view) => {
    if (!view.errors?.some(({ code }) => code === 'PAGINATION_NUMBER_INVALID')) return undefined;
    const page = pageOf(view.sent.query);
    const n = PAGE_SIZES.find((size) => size < (page.n ?? 0));
    if (n === undefined) return undefined;
    const query = withPage(view.sent.query, { ...page, n });
    return { note: `asked for ${n} instead of ${page.n}`, again: { query, limit: n } };
  },
};

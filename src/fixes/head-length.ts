import { headerValue, withHeader } from '../domain/headers.ts';
import type { Fix } from './fix.ts';

/** Harbor counts compressed bytes for HEAD, frameworks answer 0; dockerd and containerd stop there. */
export const headLength: Fix = {
  id: 'head-length',
  title: 'HEAD states the exact length of a manifest or blob, as GET does',
  symptom: '`missing or empty Content-Length header`; `reports content size of zero`',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => {
    const length = String(view.bytes.length);
    const stated = headerValue(view.headers, 'Content-Length');
    if (stated === length) return undefined;
    return {
      note: `set Content-Length to ${length}${stated === undefined ? ', which was missing' : ''}`,
      headers: withHeader(view.headers, 'Content-Length', length),
    };
  },
};

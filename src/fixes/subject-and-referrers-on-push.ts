import type { Fix } from './fix.ts';

/**
 * A registry that does not process `subject` must not claim so, or clients leave the fallback tag alone (distribution-spec,
 * "Pushing Manifests with Subject"). The pipeline keeps the list in its place, and claims what it has kept.
 */
export const subjectAndReferrersOnPush: Fix = {
  id: 'subject-and-referrers-on-push',
  title: 'What is pushed with a `subject` to a registry without the referrers API is listed by manifix',
  symptom: 'No `OCI-Subject` for a manifest with `subject`, and `404 page not found` for `/referrers/`',
  defaultMode: 'off',
  digest: 'unchanged',
};

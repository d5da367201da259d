import { acceptMissingOci404 } from './accept-missing-oci-404.ts';
import { acceptMissingSchema1 } from './accept-missing-schema1.ts';
import { acceptNamedType404Retry } from './accept-named-type-404-retry.ts';
import { acceptShape } from './accept-shape.ts';
import { apiVersionHeader } from './api-version-header.ts';
import { blobsEndpointServesManifest } from './blobs-endpoint-serves-manifest.ts';
import { bodyFramingLimits } from './body-framing-limits.ts';
import { catalogNTooLarge } from './catalog-n-too-large.ts';
import { challengeMissing } from './challenge-missing.ts';
import { contentRangeVariants } from './content-range-variants.ts';
import { contentTypeCharset } from './content-type-charset.ts';
import { contentTypeGeneric } from './content-type-generic.ts';
import { deleteByTag } from './delete-by-tag.ts';
import { digestParameterShape } from './digest-parameter-shape.ts';
import { dockerContentDigestBad } from './docker-content-digest-bad.ts';
import { dockerContentDigestMissing } from './docker-content-digest-missing.ts';
import { doubleEncodedState } from './double-encoded-state.ts';
import { encodedPaths } from './encoded-paths.ts';
import { errorBodyNotJson } from './error-body-not-json.ts';
import { etagAndVary } from './etag-and-vary.ts';
import { fallbackTagIndexWithoutMediatype } from './fallback-tag-index-without-mediatype.ts';
import type { Fix, Rule } from './fix.ts';
import { gzipContentEncoding } from './gzip-content-encoding.ts';
import { headLength } from './head-length.ts';
import { headPresigned403 } from './head-presigned-403.ts';
import { headUnsupported } from './head-unsupported.ts';
import { html200 } from './html-200.ts';
import { indexWithoutMediatype } from './index-without-mediatype.ts';
import { libraryPrefix } from './library-prefix.ts';
import { linkHeaderOrigin } from './link-header-origin.ts';
import { listForImageOnlyClient } from './list-for-image-only-client.ts';
import { locationOrigin } from './location-origin.ts';
import { manifestBlobUnknown } from './manifest-blob-unknown.ts';
import { manifestPutStatusAndDigest } from './manifest-put-status-and-digest.ts';
import { manifestSizeLimit } from './manifest-size-limit.ts';
import { manifestWithoutMediatype } from './manifest-without-mediatype.ts';
import { mirrorWithoutCredentials } from './mirror-without-credentials.ts';
import { mountFallback } from './mount-fallback.ts';
import { newlineAndEncodingDamage } from './newline-and-encoding-damage.ts';
import { ociVsDockerRelabel } from './oci-vs-docker-relabel.ts';
import { opaqueErrors } from './opaque-errors.ts';
import { pushIndexWithoutMediatype } from './push-index-without-mediatype.ts';
import { putContentTypeWrong } from './put-content-type-wrong.ts';
import { putSchema1Reserialised } from './put-schema1-reserialised.ts';
import { rangeHeaderUnit } from './range-header-unit.ts';
import { rangeIgnored } from './range-ignored.ts';
import { rateLimit429 } from './rate-limit-429.ts';
import { redirectAuthLeak400 } from './redirect-auth-leak-400.ts';
import { referrersMisbehaviour } from './referrers-misbehaviour.ts';
import { schema1OnlyImage } from './schema1-only-image.ts';
import { secondQuestionMark } from './second-question-mark.ts';
import { singlePostMonolithic } from './single-post-monolithic.ts';
import { subjectAndReferrersOnPush } from './subject-and-referrers-on-push.ts';
import { tagsListShape } from './tags-list-shape.ts';
import { tokenRealm } from './token-realm.ts';
import { tokenShapes } from './token-shapes.ts';
import { typeConflict } from './type-conflict.ts';
import { unreachableRedirectOrLocation } from './unreachable-redirect-or-location.ts';
import { uploadFormContentType } from './upload-form-content-type.ts';
import { uploadNoDigestHeader } from './upload-no-digest-header.ts';
import { uploadStatusVariants } from './upload-status-variants.ts';
import { uploadsNoTrailingSlash } from './uploads-no-trailing-slash.ts';

/**
 * The catalogue, in the order in which the hooks run. Order matters within a hook only: what a fix repairs, a later one
 * may rely on (the body of an error is made JSON before it is explained), and the last explanation is the general one.
 */
export const FIXES: readonly Fix[] = [
  // Names
  libraryPrefix,
  // Targets
  encodedPaths,
  // Credentials
  tokenRealm,
  challengeMissing,
  tokenShapes,
  // Negotiation
  acceptShape,
  acceptMissingOci404,
  acceptMissingSchema1,
  acceptNamedType404Retry,
  // Manifests
  html200,
  gzipContentEncoding,
  contentTypeCharset,
  contentTypeGeneric,
  typeConflict,
  dockerContentDigestMissing,
  dockerContentDigestBad,
  headLength,
  headUnsupported,
  etagAndVary,
  listForImageOnlyClient,
  fallbackTagIndexWithoutMediatype,
  schema1OnlyImage,
  ociVsDockerRelabel,
  indexWithoutMediatype,
  manifestWithoutMediatype,
  // Pushes
  uploadsNoTrailingSlash,
  secondQuestionMark,
  doubleEncodedState,
  digestParameterShape,
  uploadFormContentType,
  contentRangeVariants,
  singlePostMonolithic,
  mountFallback,
  newlineAndEncodingDamage,
  putContentTypeWrong,
  putSchema1Reserialised,
  pushIndexWithoutMediatype,
  manifestBlobUnknown,
  deleteByTag,
  // Blobs
  blobsEndpointServesManifest,
  rangeIgnored,
  headPresigned403,
  // Lists
  catalogNTooLarge,
  tagsListShape,
  referrersMisbehaviour,
  subjectAndReferrersOnPush,
  // Answers
  redirectAuthLeak400,
  unreachableRedirectOrLocation,
  rateLimit429,
  mirrorWithoutCredentials,
  errorBodyNotJson,
  bodyFramingLimits,
  manifestSizeLimit,
  uploadStatusVariants,
  locationOrigin,
  rangeHeaderUnit,
  linkHeaderOrigin,
  uploadNoDigestHeader,
  manifestPutStatusAndDigest,
  opaqueErrors,
  apiVersionHeader,
];

/** What manifix always does, whatever the configuration says. */
export const RULES: readonly Rule[] = [
  {
    id: 'accept-widening-breaks-clients',
    title: 'An Accept that names a manifest type is never widened on the first try',
    symptom: "`undefined method 'map' for nil`: an index where an image was asked for",
  },
  {
    id: 'accept-on-non-manifest',
    title: 'Accept is only ever changed on manifest requests',
    symptom: '406 from a token service that was sent manifest types',
  },
  {
    id: 'manifest-too-big-or-odd-size',
    title: 'Manifests over 8 MiB stream through without fixes',
    symptom: '`rejecting 4400000 byte manifest`',
  },
  {
    id: 'type-confusion',
    title: 'A document that can be read as two kinds of manifest is refused',
    symptom: 'One digest that is an index for one reader and an image for another (CVE-2021-41190)',
  },
  {
    id: 'inexact-keys',
    title: 'A manifest with repeated or case-variant keys is never changed',
    symptom: 'Go and JavaScript read different values from one manifest',
  },
  {
    id: 'digest-enforcement',
    title: 'Bytes that do not match the digest asked for are never served as complete',
    symptom: '`unexpected commit digest`; `manifest verification failed`',
  },
  {
    id: 'path-traversal',
    title: 'Names, tags and digests outside the grammar never reach the disk or the registry',
    symptom: '`..`, encoded slashes or control characters reach the registry',
  },
  {
    id: 'credential-leakage',
    title: 'Credentials stay with the origin they were meant for',
    symptom: 'A redirect takes the password to another host (CVE-2020-15157)',
  },
];

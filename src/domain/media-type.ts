declare const mediaTypeBrand: unique symbol;

/** A lower-case `type/subtype` without parameters. */
export type MediaType = string & { readonly [mediaTypeBrand]: true };

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json' as MediaType;
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json' as MediaType;
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json' as MediaType;
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json' as MediaType;
/** Schema 1 with signatures inside the JSON. */
export const SCHEMA1_SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws' as MediaType;
export const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json' as MediaType;
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json' as MediaType;
export const OCTET_STREAM = 'application/octet-stream' as MediaType;

/** The manifest types that today's clients pull. */
export const MANIFEST_TYPES = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST] as const;

/** RFC 6838, section 4.2, "restricted-name", after lower-casing. */
const MEDIA_TYPE_FORM = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** Reads a Content-Type value: drops parameters, lower-cases; undefined when what is left is not `type/subtype`. */
export function parseMediaType(header: string | undefined): MediaType | undefined {
  if (header === undefined) return undefined;
  const end = header.indexOf(';');
  const type = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
  return MEDIA_TYPE_FORM.test(type) ? (type as MediaType) : undefined;
}

/** One of MANIFEST_TYPES. */
export function isManifestType(type: string | undefined): boolean {
  return isIndexType(type) || isImageManifestType(type);
}

/** An OCI index or a Docker manifest list. */
export function isIndexType(type: string | undefined): boolean {
  return type === OCI_INDEX || type === DOCKER_LIST;
}

/** An OCI or Docker (schema 2) image manifest. */
export function isImageManifestType(type: string | undefined): boolean {
  return type === OCI_MANIFEST || type === DOCKER_MANIFEST;
}

/** Schema 1, signed or not. */
export function isSchema1Type(type: string | undefined): boolean {
  return type === SCHEMA1_SIGNED || type === SCHEMA1;
}

/** The first error of an OCI error body, as far as tests look into it. */
export interface FirstError {
  readonly code: string;
  readonly message: string;
  readonly detail: unknown;
  /** What manifix added in `detail.manifix`. */
  readonly explanation: string | undefined;
}

/** Reads an error body. @throws when it is not `{"errors":[{...}]}` */
export function firstError(body: Buffer | string): FirstError {
  // The shape is checked below as far as it is used.
  const { errors } = JSON.parse(body.toString()) as { errors: { code: string; message: string; detail?: unknown }[] };
  const [error] = errors;
  if (error === undefined) throw new Error(`no error in ${body}`);
  const { code, message, detail } = error;
  return { code, message, detail, explanation: explanationIn(detail) };
}

function explanationIn(detail: unknown): string | undefined {
  if (typeof detail !== 'object' || detail === null || !('manifix' in detail)) return undefined;
  return typeof detail.manifix === 'string' ? detail.manifix : undefined;
}

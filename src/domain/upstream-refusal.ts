import type { HeaderList } from './headers.ts';

/** A registry's answer that was read whole, so that everyone who waited for it can relay it. */
export interface CompleteResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** The registry answered, but not with the content: its own words are in `response`, for the client to see. */
export class UpstreamRefusal extends Error {
  override readonly name = 'UpstreamRefusal';
  readonly response: CompleteResponse;

  constructor(response: CompleteResponse) {
    super(`the registry answered with status ${response.status}`);
    this.response = response;
  }
}

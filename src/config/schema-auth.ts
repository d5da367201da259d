import { z } from 'zod';
import { challenges } from './config.ts';
import { claimPatterns, issuerUrl, text, tokenLifetime, yesOrNo } from './fields.ts';

/** How the clients of an endpoint show who they are. `none` is written by those who want to say so. */
export function authSchema() {
  const keys = z.strictObject({
    htpasswd: text('path').optional().describe('A file of users and passwords, as `htpasswd -B` writes it.'),
    tokens: yesOrNo().prefault(false).describe('Whether tokens of `manifix token new` count.'),
    oidc: z
      .array(
        z.strictObject({
          name: text('name').describe('What its users and groups begin with: `ci` for `ci:repo:acme/app`.'),
          issuer: issuerUrl().describe('The issuer of the tokens, as in their `iss`.'),
          audience: text('text').describe('What the tokens have to be for, as in their `aud`.'),
          user: text('claim').prefault('sub').describe('The claim that names the user.'),
          groups: text('claim').optional().describe('The claim that lists groups.'),
          claims: z
            .record(z.string(), claimPatterns())
            .meta({ type: 'map of claims' })
            .prefault({})
            .describe('What other claims must be: text, or a list of texts, in which `*` stands for any text.'),
          ca: text('path')
            .optional()
            .describe("A file with certificates of authorities, in PEM, to trust for the issuer's server."),
        }),
      )
      .prefault([]),
    certificates: yesOrNo()
      .prefault(false)
      .describe('Whether certificates count that an authority of `tls.clientAuthorities` vouches for.'),
    challenge: z
      .enum(challenges)
      .prefault('bearer')
      .describe("How clients are asked to log in: for a token of manifix's own, or for a password with each request."),
    tokenTtl: tokenLifetime().prefault('5m').describe("How long manifix's own tokens last."),
  });
  return z.preprocess((written) => (written === 'none' ? undefined : written), keys.optional()).optional();
}

export type WrittenAuth = NonNullable<z.output<ReturnType<typeof authSchema>>>;

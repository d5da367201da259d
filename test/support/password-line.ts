import { hashSync } from 'bcrypt';

/** A line of an htpasswd file, cheap to check, so that many logins cost little. */
export function passwordLine(user: string, password: string): string {
  return `${user}:${hashSync(password, 4)}\n`;
}

/** The field by which a user logs in. */
export function basicLogin(user: string, password: string): { readonly Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

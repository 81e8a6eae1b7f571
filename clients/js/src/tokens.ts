/** Access tokens: where they come from and when the next one is needed. */

/**
 * A token, or what to await for one.
 *
 * A TypeError of it, as `fetch` throws without a network, counts as a lost connection and is tried
 * again; all else it throws ends the client.
 */
export type Token = string | (() => Promise<string>);

/** The `exp` claim of a JWT, in Unix seconds. Nothing is verified: that is the hub's part. */
export function expiry(token: string): number | undefined {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const exp: unknown = JSON.parse(atob(payload)).exp;
    return typeof exp === "number" ? exp : undefined;
  } catch {
    return undefined;
  }
}

/** The token of a page's address, which stands in the fragment: no server and no referrer sees it. */

export interface Claims {
  readonly role?: string;
  readonly sub?: string;
  readonly exp?: number;
}

/** Without one: undefined. A token has no character that would be escaped. */
export function tokenOf(fragment: string): string | undefined {
  const token = fragment.replace(/^#/, "");
  return token === "" ? undefined : token;
}

/** What a JWT says, unverified: that is the hub's to do. Undefined for what is none. */
export function claimsOf(token: string): Claims | undefined {
  const body = token.split(".")[1];
  if (body === undefined) return undefined;
  try {
    const bytes = atob(body.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    const claims: unknown = JSON.parse(text);
    return typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}

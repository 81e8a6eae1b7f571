/** Requests to the hub that served the page. */

import type { HubClock } from "./clock.ts";

export class ProblemError extends Error {
  override name = "ProblemError";
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  /** The same for each repetition of one call: it is carried out once. */
  readonly key?: string;
}

/** The answer's JSON; `clock` hears its time. Throws ProblemError, also where no hub was reached. */
export async function request<T>(token: string, call: Call, clock?: HubClock): Promise<T> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (call.key !== undefined) headers["Idempotency-Key"] = call.key;
  const sent = Date.now();
  const response = await reached(call, headers);
  clock?.heard(response.headers.get("date"), sent);
  const answer = await response.json().catch(() => undefined);
  if (!response.ok) throw new ProblemError(response.status, String(answer?.detail ?? ""));
  return answer as T;
}

async function reached(call: Call, headers: Record<string, string>): Promise<Response> {
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  try {
    return await fetch(call.path, { method: call.method, headers, body });
  } catch (error) {
    throw new ProblemError(0, String(error));
  }
}

/** A key for one call and its repetitions. `randomUUID` is there on secure origins alone. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What the clients throw.
 *
 * ClientError
 * ├── ClosedError        the hub closed with a code that says: do not come back
 * └── HubMessageError    the hub, or something in its place, said what the protocol does not know
 */

export class ClientError extends Error {
  override name = "ClientError";
}

/**
 * `code` is a WebSocket close code that `comesBack` denies. 4001 (token expired) is thrown only
 * by a client whose token is a string: it has no other.
 */
export class ClosedError extends ClientError {
  override name = "ClosedError";
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(`closed with ${code}: ${reason || "no reason given"}`);
    this.code = code;
    this.reason = reason;
  }
}

export class HubMessageError extends ClientError {
  override name = "HubMessageError";
}

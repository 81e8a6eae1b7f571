/** WebSocket close codes. The range alone tells a client whether to come back. */

export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  ABNORMAL: 1006,
  TOO_BIG: 1009,
  INTERNAL: 1011,
  DRAINING: 1012,
  TRY_LATER: 1013,
  TOKEN_EXPIRED: 4001,
  TOO_SLOW: 4008,
  NO_PONG: 4009,
  TOO_MANY_REQUESTS: 4029,
  UNAUTHENTICATED: 4501,
  MALFORMED: 4502,
  FORBIDDEN: 4503,
  SUPERSEDED: 4509,
  NO_AUTH_IN_TIME: 4510,
} as const;

const COME_BACK = new Set([1001, 1006, 1011, 1012, 1013]);

/** Whether a client closed with `code` should reconnect, with jitter (contract 9). */
export function comesBack(code: number): boolean {
  return (code >= 3000 && code <= 3499) || (code >= 4000 && code <= 4499) || COME_BACK.has(code);
}

const BY_STATUS = new Map<number, number>([
  [401, CloseCode.UNAUTHENTICATED],
  [403, CloseCode.FORBIDDEN],
  [429, CloseCode.TOO_MANY_REQUESTS],
  [503, CloseCode.TRY_LATER],
]);

/** The code that a socket would have been closed with, where a request got this HTTP status. */
export function closeCodeOf(status: number): number {
  return BY_STATUS.get(status) ?? CloseCode.ABNORMAL;
}

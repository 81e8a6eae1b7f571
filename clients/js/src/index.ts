/** Client of Ordercast: watch orders live, tell a rider's position. */

export type { Chance } from "./backoff.ts";
export { type Codec, json } from "./codec.ts";
export { CloseCode, comesBack } from "./codes.ts";
export { ClientError, ClosedError, HubMessageError } from "./errors.ts";
export { distance, HORIZON, type LatLng, type Moving, reckoned } from "./motion.ts";
export { type FixInput, RiderClient, type RiderOptions } from "./rider.ts";
export type * as wire from "./schema.ts";
export type { Crs, Cursor, SubscribeOptions } from "./session.ts";
export type { WebSocketConstructor, WebSocketLike } from "./socket.ts";
export type { Token } from "./tokens.ts";
export type * from "./updates.ts";
export { type ClientOptions, UserClient, type UserOptions } from "./user.ts";

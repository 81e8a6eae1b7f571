/** `import { msgpack } from "ordercast/msgpack"`; wants `@msgpack/msgpack` to be installed. */

import { decode, encode } from "@msgpack/msgpack";
import type { Codec } from "./codec.ts";

export const msgpack: Codec = {
  subprotocol: "ordercast.v1.msgpack",
  encode: (message) => encode(message),
  decode: (payload) => decode(payload as ArrayBuffer),
};

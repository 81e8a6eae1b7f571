/** The codecs of the sockets. Both carry the same messages. */

import { HubMessageError } from "./errors.ts";

/** One decoded message. What else it holds is for its reader to check. */
export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

export interface Codec {
  readonly subprotocol: string;
  encode(message: object): string | Uint8Array<ArrayBuffer>;
  /** Throws whatever it likes for what it cannot decode. */
  decode(payload: string | ArrayBuffer): unknown;
}

export const json: Codec = {
  subprotocol: "ordercast.v1.json",
  encode: JSON.stringify,
  decode: (payload) => JSON.parse(payload as string),
};

/** Throws HubMessageError for what is no message. */
export function decode(codec: Codec, payload: string | ArrayBuffer): Message {
  const data = decoded(codec, payload);
  if (typeof (data as Message | null)?.type !== "string") {
    throw new HubMessageError("not from a hub: not an object with a string `type`");
  }
  return data as Message;
}

function decoded(codec: Codec, payload: string | ArrayBuffer): unknown {
  try {
    return codec.decode(payload);
  } catch (error) {
    throw new HubMessageError(`not from a hub: ${error}`);
  }
}

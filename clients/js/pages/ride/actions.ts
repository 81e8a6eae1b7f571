/** What a rider can say of an order, and the request that says it. */

import type { wire } from "../../src/index.ts";
import type { Call } from "../common/http.ts";

export type Action =
  | "atStore"
  | "pickedUp"
  | "atDoor"
  | "delivered"
  | "returning"
  | "undeliverable";

interface Offered {
  /** The usual ones, in the order in which they come. */
  readonly usual: readonly Action[];
  /** For when it can't be delivered. */
  readonly trouble: readonly Action[];
}

const AT_SHOP: Offered = { usual: ["atStore", "pickedUp"], trouble: ["undeliverable"] };
const NOTHING: Offered = { usual: [], trouble: [] };

const OFFERED: Partial<Readonly<Record<wire.Status, Offered>>> = {
  CONFIRMED: AT_SHOP,
  PREPARING: AT_SHOP,
  ON_DELIVERY: { usual: ["atDoor", "delivered"], trouble: ["returning", "undeliverable"] },
};

export function offered(status: wire.Status): Offered {
  return OFFERED[status] ?? NOTHING;
}

/** `at`: when the rider said so, in milliseconds; it may be sent much later. */
export function callFor(action: Action, orderId: string, at: number): Omit<Call, "key"> {
  const to = (what: string, body: object) =>
    ({ method: "POST", path: `/v1/orders/${encodeURIComponent(orderId)}/${what}`, body }) as const;
  const timestamp = new Date(at).toISOString();
  switch (action) {
    case "atStore":
      return to("courier-state", { state: "AT_STORE" });
    case "pickedUp":
      return to("courier-state", { state: "PICKED_UP" });
    case "atDoor":
      return to("courier-state", { state: "AT_DOOR" });
    case "delivered":
      return to("status", { status: "COMPLETED", timestamp });
    case "returning":
      return to("status", { status: "RETURNING", timestamp });
    case "undeliverable":
      return to("exceptions", { code: "UNDELIVERABLE" });
  }
}

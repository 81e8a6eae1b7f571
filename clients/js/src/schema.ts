// Made from schemas/exported/json-schema.json by `npm run schema`; changes here get lost.

export type Role = "platform" | "merchant" | "rider" | "customer" | "partner" | "ops";
export type CourierState =
  "UNASSIGNED" | "ASSIGNED" | "AT_STORE" | "PICKED_UP" | "NEARBY" | "AT_DOOR";
export type Status =
  | "PENDING"
  | "CONFIRMED"
  | "PREPARING"
  | "ON_DELIVERY"
  | "COMPLETED"
  | "CANCELLED"
  | "RETURNING"
  | "RETURNED";
export type EventType =
  | "order.created"
  | "order.confirmed"
  | "order.preparing"
  | "order.ready"
  | "order.on_delivery"
  | "order.completed"
  | "order.cancelled"
  | "order.returning"
  | "order.returned"
  | "order.delayed"
  | "order.exception"
  | "order.exception_resolved"
  | "courier.assigned"
  | "courier.unassigned"
  | "courier.at_store"
  | "courier.nearby"
  | "courier.at_door";
/**
 * What is told of an endpoint itself, not of an order.
 */
export type PartnerEventType = "endpoint.disabled" | "endpoint.test";
export type DeliveryState = "pending" | "delivered" | "superseded" | "dead" | "held";
export type EndpointMode = "all" | "latest";
export type EndpointState = "enabled" | "disabled";
export type EndpointMode1 = "all" | "latest";
export type ErasureState = "pending" | "done";
/**
 * What an erasure waits for: that a worker begins; that all who read the event log have come
 * past the orders' entries; that the orders' webhooks are accepted or given up; that what happened
 * before is in the warehouse, to be erased there.
 */
export type ErasureWait = "worker" | "log" | "webhooks" | "warehouse";
export type ErrorCode =
  "not_found" | "too_many_subscriptions" | "unknown_type" | "bad_request" | "unavailable";
export type ExceptionCode =
  | "PAYMENT_TIMEOUT"
  | "MERCHANT_TIMEOUT"
  | "ITEM_SOLD_OUT"
  | "MERCHANT_REJECTED"
  | "RIDER_TIMEOUT"
  | "RIDER_SILENT"
  | "DELIVERY_OVERDUE"
  | "UNDELIVERABLE"
  | "CUSTOMER_CANCELLED";
export type ExceptionState = "open" | "resolved";
/**
 * How an exception ended. EXPIRED is the deadline's word, no caller's.
 */
export type Resolution = "accepted" | "declined" | "resolved" | "cancelled" | "expired";
/**
 * Why a fix was not taken.
 */
export type Rejection =
  | "off_duty"
  | "out_of_range"
  | "null_island"
  | "not_finite"
  | "old"
  | "future"
  | "too_fast"
  | "rate"
  | "malformed";
export type Freshness = "fresh" | "stale" | "lost";
export type NoticeCode = "degraded" | "recovered" | "draining";
export type PaymentMethod = "WECHAT" | "ALIPAY" | "CASH";
export type PaymentState = "UNPAID" | "PAID" | "FAILED";
export type PaymentState1 = "UNPAID" | "PAID" | "FAILED";
/**
 * How an exception ended. EXPIRED is the deadline's word, no caller's.
 */
export type Resolution1 = "accepted" | "declined" | "resolved" | "cancelled" | "expired";

/**
 * Every model that crosses the wires, by name.
 */
export interface Models {
  Ack: Ack;
  Actor: Actor;
  Address: Address;
  After: After;
  AuditKey: AuditKey;
  AuditKeys: AuditKeys;
  Auth: Auth;
  BadField: BadField;
  BridgeInstance: BridgeInstance;
  Cadence: Cadence;
  Consistency: Consistency;
  CourierState: CourierState;
  CourierStateResult: CourierStateResult;
  CourierStateUpdate: CourierStateUpdate;
  Delivery: Delivery;
  DeliveryAttempt: DeliveryAttempt;
  DeliveryCounts: DeliveryCounts;
  DeliveryDetail: DeliveryDetail;
  DeliveryList: DeliveryList;
  DeliveryState: DeliveryState;
  Endpoint: Endpoint;
  EndpointBody: EndpointBody;
  EndpointFeedItem: EndpointFeedItem;
  EndpointHealth: EndpointHealth;
  EndpointList: EndpointList;
  EndpointMode: EndpointMode;
  EndpointPatch: EndpointPatch;
  EndpointPayload: EndpointPayload;
  EndpointRequest: EndpointRequest;
  EndpointState: EndpointState;
  EndpointStats: EndpointStats;
  Erasure: Erasure;
  ErasureState: ErasureState;
  ErasureWait: ErasureWait;
  Error: Error;
  ErrorCode: ErrorCode;
  EstimateMessage: EstimateMessage;
  Eta: Eta;
  Event: Event;
  EventLag: EventLag;
  EventList: EventList;
  EventType: EventType;
  ExceptionCode: ExceptionCode;
  ExceptionCounts: ExceptionCounts;
  ExceptionList: ExceptionList;
  ExceptionReport: ExceptionReport;
  ExceptionState: ExceptionState;
  Feed: Feed;
  FeedAck: FeedAck;
  FeedItem: FeedItem;
  FeedPlace: FeedPlace;
  Fix: Fix;
  FixBatch: FixBatch;
  FixMessage: FixMessage;
  FixRejected: FixRejected;
  FixResult: FixResult;
  Fixes: Fixes;
  Freshness: Freshness;
  Head: Head;
  HeadConsistency: HeadConsistency;
  HeadList: HeadList;
  HubInstance: HubInstance;
  HubList: HubList;
  Inclusion: Inclusion;
  Item: Item;
  Liveness: Liveness;
  Notice: Notice;
  NoticeCode: NoticeCode;
  Order: Order;
  OrderCounts: OrderCounts;
  OrderException: OrderException;
  OrderList: OrderList;
  OrderPlaced: OrderPlaced;
  OrderRequest: OrderRequest;
  OrderStatusBody: OrderStatusBody;
  OrderStatusUpdate: OrderStatusUpdate;
  Orders: Orders;
  OsmandBattery: OsmandBattery;
  OsmandBody: OsmandBody;
  OsmandCoords: OsmandCoords;
  OsmandLocation: OsmandLocation;
  Overview: Overview;
  PartnerEventType: PartnerEventType;
  PartnerSecret: PartnerSecret;
  Payment: Payment;
  PaymentMethod: PaymentMethod;
  PaymentState: PaymentState;
  PaymentUpdate: PaymentUpdate;
  Ping: Ping;
  Place: Place;
  Point: Point;
  Pong: Pong;
  Position: Position;
  PositionMessage: PositionMessage;
  Problem: Problem;
  Proof: Proof;
  QuietHours: QuietHours;
  Readiness: Readiness;
  Reconnect: Reconnect;
  RecoverRequest: RecoverRequest;
  Recovered: Recovered;
  RegisteredBody: RegisteredBody;
  Rejected: Rejected;
  Rejection: Rejection;
  Resolution: Resolution;
  ResolutionRequest: ResolutionRequest;
  Restaurant: Restaurant;
  RestaurantUpdate: RestaurantUpdate;
  Result: Result;
  RiderAssignment: RiderAssignment;
  RiderOrder: RiderOrder;
  Role: Role;
  Snapshot: Snapshot;
  Status: Status;
  StatusChangeBody: StatusChangeBody;
  StatusPayload: StatusPayload;
  StatusResult: StatusResult;
  StreamEvent: StreamEvent;
  Subscribe: Subscribe;
  Subscribed: Subscribed;
  Superseded: Superseded;
  Tip: Tip;
  TrailPoint: TrailPoint;
  Unsubscribe: Unsubscribe;
  Unsubscribed: Unsubscribed;
  WebhookHealth: WebhookHealth;
  Welcome: Welcome;
  WorkerInstance: WorkerInstance;
}
export interface Ack {
  type: "ack";
  seq: number;
}
/**
 * Who did it. The worker acts as role `ops`, subject `worker`.
 */
export interface Actor {
  role: Role;
  sub?: string;
}
/**
 * Where an order goes.
 */
export interface Address {
  lat: number;
  lng: number;
  crs?: "wgs84" | "gcj02";
  text: string;
  contact?: string;
}
/**
 * The place after the last event taken. One that is nowhere on the stream is no error: it is
 * not recovered.
 */
export interface After {
  epoch: string;
  seq: number;
}
export interface AuditKey {
  keyId: string;
  /**
   * Ed25519, 32 bytes in URL-safe base64
   */
  publicKey: string;
  /**
   * number of the first head it has signed
   */
  since: number;
}
/**
 * The keys that have signed, the present one first. Whoever checks proofs should have the key
 * from the operator by another way: a hub that lies about events would lie about it too.
 */
export interface AuditKeys {
  log: string;
  keys: AuditKey[];
}
export interface Auth {
  type: "auth";
  token: string;
}
/**
 * `pointer` is a JSON pointer (RFC 6901) into the body, as a URI fragment: `#/items/0`.
 */
export interface BadField {
  pointer: string;
  detail: string;
}
export interface BridgeInstance {
  bridge: string;
}
/**
 * How often the rider should send a fix.
 */
export interface Cadence {
  type: "cadence";
  seconds: number;
  reason: "near" | "watched" | "unwatched" | "idle";
}
/**
 * That the log of `to` events begins with the log of `from` (RFC 9162, 2.1.4).
 */
export interface Consistency {
  from: number;
  to: number;
  /**
   * @maxItems 64
   *
   * Items: SHA-256 in hex
   */
  hashes: string[];
}
export interface CourierStateResult {
  orderId: string;
  courierState: CourierState;
  status: Status;
  seq: number;
  applied: boolean;
  riderId?: string;
}
export interface CourierStateUpdate {
  state: CourierState;
}
/**
 * One event for one target: a registered endpoint, or a callback of the order's
 * `notificationUrl`. Its id is the `webhook-id` of every attempt.
 */
export interface Delivery {
  deliveryId: string;
  /**
   * absent where it is about an endpoint
   */
  orderId?: string;
  seq: number;
  eventType: EventType | PartnerEventType;
  /**
   * the registered endpoint's id
   */
  endpoint?: string;
  callback?: "onOrderConfirmed" | "onStatusChange";
  /**
   * of a callback
   */
  url?: string;
  state: DeliveryState;
  attemptCount: number;
  createdAt: string;
  firstAttemptAt?: string;
  settledAt?: string;
  /**
   * while it waits, at the head of its lane or behind it
   */
  nextAttemptAt?: string;
}
/**
 * `status` where a status line came, else `error`, a sentence. `attempt` goes on counting
 * over replays.
 */
export interface DeliveryAttempt {
  attempt: number;
  at: string;
  tookMs: number;
  status?: number;
  error?: string;
}
export interface DeliveryCounts {
  /**
   * orders with something waiting
   */
  waiting: number;
  /**
   * of them, those that wait for a retry, or are out just now
   */
  retrying: number;
  dead: number;
  held: number;
}
export interface DeliveryDetail {
  deliveryId: string;
  /**
   * absent where it is about an endpoint
   */
  orderId?: string;
  seq: number;
  eventType: EventType | PartnerEventType;
  /**
   * the registered endpoint's id
   */
  endpoint?: string;
  callback?: "onOrderConfirmed" | "onStatusChange";
  /**
   * of a callback
   */
  url?: string;
  state: DeliveryState;
  attemptCount: number;
  createdAt: string;
  firstAttemptAt?: string;
  settledAt?: string;
  /**
   * while it waits, at the head of its lane or behind it
   */
  nextAttemptAt?: string;
  /**
   * oldest first; the last hundred are kept
   */
  attempts: DeliveryAttempt[];
}
/**
 * By order, the one first told of last; within an order by seq. With a filter a page may be
 * short, or empty, before the end.
 */
export interface DeliveryList {
  items: Delivery[];
  /**
   * give it as `after`; null at the end
   */
  next: string | null;
}
export interface Endpoint {
  endpointId: string;
  url: string;
  eventTypes: (EventType | PartnerEventType)[];
  mode: EndpointMode;
  state: EndpointState;
  delay?: number;
  quietHours?: QuietHours;
  /**
   * why we have switched it off
   */
  reason?: string;
  /**
   * told once, when made or rotated
   */
  secret?: string;
}
/**
 * Nothing is sent from `from` until `to` by the clocks of `timezone` (IANA), each day; over
 * midnight where `to` is the earlier.
 */
export interface QuietHours {
  from: string;
  to: string;
  timezone: string;
}
/**
 * `POST` to the partner's other endpoints when one was switched off.
 */
export interface EndpointBody {
  eventType: PartnerEventType;
  payload: EndpointPayload;
  endpointId: string;
  seq: number;
  timestamp: string;
  supersedes?: number[];
}
export interface EndpointPayload {
  endpointId: string;
  url: string;
  reason: string;
  timestamp: string;
}
/**
 * An event about one of the partner's endpoints.
 */
export interface EndpointFeedItem {
  eventType: PartnerEventType;
  payload: EndpointPayload;
  endpointId: string;
  seq: number;
  timestamp: string;
  supersedes?: number[];
  cursor: string;
}
export interface EndpointHealth {
  /**
   * orders with something waiting
   */
  waiting: number;
  /**
   * of them, those that wait for a retry, or are out just now
   */
  retrying: number;
  dead: number;
  held: number;
  partner: string;
  endpointId: string;
  /**
   * of its URL
   */
  origin: string;
  state: EndpointState;
}
export interface EndpointList {
  items: Endpoint[];
  /**
   * give it as `after`; null at the end
   */
  next: string | null;
}
export interface EndpointPatch {
  url?: string;
  /**
   * @maxItems 32
   */
  eventTypes?: (EventType | PartnerEventType)[];
  mode?: EndpointMode;
  state?: EndpointState;
  /**
   * seconds after the event
   */
  delay?: number;
  quietHours?: QuietHours;
}
/**
 * `eventTypes` empty or absent: every event.
 */
export interface EndpointRequest {
  url: string;
  /**
   * @maxItems 32
   */
  eventTypes?: (EventType | PartnerEventType)[];
  mode?: EndpointMode1;
  /**
   * seconds after the event
   */
  delay?: number;
  quietHours?: QuietHours;
}
/**
 * How an endpoint's deliveries stand. `ackP50Ms`: from an event to its acceptance, of those
 * that were accepted in this hour and the one before, to a quarter.
 */
export interface EndpointStats {
  endpointId: string;
  /**
   * orders with something waiting
   */
  waiting: number;
  /**
   * of them, those that wait for a retry, or are out just now
   */
  retrying: number;
  dead: number;
  held: number;
  oldestWaitingAt?: string;
  accepted: number;
  ackP50Ms?: number;
  ackP99Ms?: number;
}
/**
 * An erasure, and how much it concerns; the counts are final when it is `done`.
 */
export interface Erasure {
  customerId: string;
  state: ErasureState;
  /**
   * what is yet to happen first; empty when it is `done`
   */
  waitingFor: ErasureWait[];
  requestedAt: string;
  doneAt?: string;
  /**
   * orders that the store had of the customer
   */
  orders: number;
  /**
   * events of them that told something personal
   */
  events: number;
  /**
   * rows of the warehouse that were changed
   */
  rows: number;
}
export interface Error {
  type: "error";
  id?: number | string;
  code: ErrorCode;
  message: string;
}
export interface EstimateMessage {
  type: "estimate";
  orderId: string;
  estimatedTime: number;
  eta: Eta;
}
export interface Eta {
  p10: string;
  p50: string;
  p90: string;
}
/**
 * One numbered fact of an order, as `GET /v1/orders/{id}/events` lists it.
 *
 * `hash` is SHA-256, in hex, over the canonical JSON (RFC 8785) of the event without `hash`;
 * `prevHash`, the hash of the event before it, is part of that JSON. It is empty at seq 1.
 * `erased`: something personal was taken out, so that the hash is no longer that of what is left.
 */
export interface Event {
  orderId: string;
  epoch: string;
  seq: number;
  eventType: EventType;
  status: Status;
  timestamp: string;
  actor: Actor;
  courierState?: CourierState;
  estimatedTime?: number;
  eta?: Eta;
  reason?: string;
  exception?: OrderException;
  prevHash: string;
  hash: string;
  erased?: true;
}
export interface OrderException {
  exceptionId: string;
  code: ExceptionCode;
  orderId: string;
  state: ExceptionState;
  openedAt: string;
  resolvedAt?: string;
  resolution?: Resolution;
  detail?: string;
  items?: string[];
}
/**
 * From a change to the sockets that watch it, of events of the last minute.
 */
export interface EventLag {
  events: number;
  p50Ms?: number;
  p99Ms?: number;
}
export interface EventList {
  orderId: string;
  epoch: string;
  events: Event[];
}
export interface ExceptionCounts {
  open: number;
  byCode: {
    [k: string]: number;
  };
  oldestAt?: string;
}
export interface ExceptionList {
  items: OrderException[];
  next: string | null;
}
/**
 * `items`, of ITEM_SOLD_OUT alone and needed there, are itemIds of the order.
 */
export interface ExceptionReport {
  code: ExceptionCode;
  detail?: string;
  /**
   * @minItems 1
   * @maxItems 100
   */
  items?: string[];
}
export interface Feed {
  items: (FeedItem | EndpointFeedItem)[];
  /**
   * the place after these: give it as `after`, or acknowledge it
   */
  next: string | null;
}
/**
 * An event as a registered endpoint would get it, and the cursor that acknowledges it and
 * all before it.
 */
export interface FeedItem {
  eventType: EventType | PartnerEventType;
  payload: StatusPayload;
  orderId: string;
  seq: number;
  timestamp: string;
  exception?: OrderException;
  /**
   * older events of the order that this one stands for
   */
  supersedes?: number[];
  cursor: string;
}
/**
 * An update as partners are told: it always names its order.
 */
export interface StatusPayload {
  orderId: string;
  status: Status;
  timestamp: string;
  estimatedTime?: number;
  reason?: string;
}
export interface FeedAck {
  cursor: string;
}
/**
 * Where the acknowledgement stands.
 */
export interface FeedPlace {
  cursor: string;
}
/**
 * One GPS fix. Range and finiteness are judged by the fix filter, which names the reason.
 */
export interface Fix {
  seq: number;
  at: string;
  lat: number;
  lng: number;
  heading?: number;
  speed?: number;
  accuracy?: number;
  battery?: number;
  crs?: "wgs84" | "gcj02";
}
/**
 * Several fixes over HTTP, oldest first. A bad fix is rejected alone.
 */
export interface FixBatch {
  /**
   * @minItems 1
   * @maxItems 100
   */
  fixes: Fix[];
}
/**
 * One fix, its fields beside the type.
 */
export interface FixMessage {
  seq: number;
  at: string;
  lat: number;
  lng: number;
  heading?: number;
  speed?: number;
  accuracy?: number;
  battery?: number;
  crs?: "wgs84" | "gcj02";
  type: "fix";
}
export interface FixRejected {
  /**
   * null when the fix named none
   */
  seq: number | null;
  reason: Rejection;
}
export interface FixResult {
  taken: number;
  rejected: FixRejected[];
}
/**
 * What was buffered offline, oldest first. A bad fix is rejected alone.
 */
export interface Fixes {
  type: "fixes";
  /**
   * @minItems 1
   * @maxItems 100
   */
  fixes: Fix[];
}
/**
 * The audit log as it was at a time, signed.
 *
 * `signature` (base64) is by Ed25519 over `ordercast head v1`, a newline, and the canonical JSON
 * (RFC 8785) of the head without it. `keyId` is the first 8 bytes, in hex, of the SHA-256 of the
 * public key. `nextKey` names the key that signs from the next head on.
 */
export interface Head {
  /**
   * tells one log from another
   */
  log: string;
  /**
   * 1, 2, 3 and so on
   */
  number: number;
  /**
   * events in the log
   */
  size: number;
  /**
   * of the Merkle tree over them (RFC 9162, 2.1)
   */
  root: string;
  at: string;
  /**
   * SHA-256, in hex, of the canonical JSON of the head before; empty at 1
   */
  previous: string;
  keyId: string;
  nextKey?: string;
  signature: string;
}
/**
 * With the newest head, where `to` was left out.
 */
export interface HeadConsistency {
  from: number;
  to: number;
  /**
   * @maxItems 64
   *
   * Items: SHA-256 in hex
   */
  hashes: string[];
  head?: Head;
}
export interface HeadList {
  items: Head[];
  /**
   * give it as `after`; null at the end
   */
  next: string | null;
}
/**
 * A live hub. Further members may say more of it.
 */
export interface HubInstance {
  hub: string;
  /**
   * HOST:PORT by which a gateway reaches it
   */
  address: string;
  seenAt: string;
  sockets?: number;
  /**
   * orders that somebody watches there
   */
  feeds?: number;
  eventLag?: EventLag;
  [k: string]: unknown;
}
export interface HubList {
  items: HubInstance[];
  /**
   * give it as `after`; null at the end
   */
  next: string | null;
}
/**
 * That an event is in the log (RFC 9162, 2.1.3): its place, and its path to the head's root.
 *
 * The leaf is `ordercast event v1` and the event's orderId, epoch, seq and hash, each with a
 * newline after it.
 */
export interface Inclusion {
  seq: number;
  index: number;
  /**
   * @maxItems 64
   *
   * Items: SHA-256 in hex
   */
  hashes: string[];
}
export interface Item {
  itemId: string;
  name: string;
  quantity: number;
  unitPriceCents: number;
}
export interface Liveness {
  status: "ok";
}
export interface Notice {
  type: "notice";
  code: NoticeCode;
  reconnect?: Reconnect;
}
/**
 * Seconds of full jitter: come back after a random time between `min` and `max`.
 */
export interface Reconnect {
  min: number;
  max: number;
}
export interface Order {
  orderId: string;
  epoch: string;
  seq: number;
  status: Status;
  courierState: CourierState;
  ready: boolean;
  readyAt?: string;
  createdAt: string;
  updatedAt: string;
  restaurantId: string;
  items: Item[];
  totalCents: number;
  address: Address;
  pickup?: Place;
  paymentMethod: PaymentMethod;
  notificationUrl?: string;
  externalId?: string;
  customerId?: string;
  riderId?: string;
  reason?: string;
  /**
   * those that are open, oldest first
   */
  exceptions?: OrderException[];
  /**
   * the customer's personal data is gone from it
   */
  erased?: true;
}
/**
 * Where an order is picked up.
 */
export interface Place {
  lat: number;
  lng: number;
  crs?: "wgs84" | "gcj02";
}
/**
 * `entered`: how many orders have entered each status since `since`, an hour and up to five
 * minutes ago; those that entered PENDING were placed.
 */
export interface OrderCounts {
  /**
   * now in each status that is not final
   */
  live: {
    [k: string]: number;
  };
  entered: {
    [k: string]: number;
  };
  since: string;
}
export interface OrderList {
  items: Order[];
  /**
   * give it as `after`; null at the end
   */
  next: string | null;
}
export interface OrderPlaced {
  orderId: string;
  epoch: string;
  seq: number;
  status: Status;
  courierState: CourierState;
  ready: boolean;
  readyAt?: string;
  createdAt: string;
  updatedAt: string;
  restaurantId: string;
  items: Item[];
  totalCents: number;
  address: Address;
  pickup?: Place;
  paymentMethod: PaymentMethod;
  notificationUrl?: string;
  externalId?: string;
  customerId?: string;
  riderId?: string;
  reason?: string;
  /**
   * those that are open, oldest first
   */
  exceptions?: OrderException[];
  /**
   * the customer's personal data is gone from it
   */
  erased?: true;
  /**
   * a customer token bound to this one order
   */
  streamToken: string;
}
export interface OrderRequest {
  restaurantId: string;
  /**
   * @minItems 1
   * @maxItems 100
   */
  items: Item[];
  address: Address;
  paymentMethod: PaymentMethod;
  notificationUrl?: string;
  externalId?: string;
  customerId?: string;
  pickup?: Place;
}
/**
 * `POST {notificationUrl}/order-status`, when the order becomes CONFIRMED.
 */
export interface OrderStatusBody {
  orderId: string;
  status: Status;
  timestamp: string;
  estimatedTime?: number;
  reason?: string;
  seq: number;
}
/**
 * The seed's update: asked of the hub, and told to callback URLs.
 */
export interface OrderStatusUpdate {
  orderId?: string;
  status: Status;
  timestamp: string;
  estimatedTime?: number;
  reason?: string;
}
export interface Orders {
  type: "orders";
  orders: RiderOrder[];
}
export interface RiderOrder {
  orderId: string;
  status: Status;
  pickup?: Place;
  address: Address;
}
export interface OsmandBattery {
  /**
   * 0..1, or -1
   */
  level?: number;
  [k: string]: unknown;
}
/**
 * One fix as Traccar's app sends it since 9.0.
 */
export interface OsmandBody {
  device_id: string;
  location: OsmandLocation;
  [k: string]: unknown;
}
export interface OsmandLocation {
  /**
   * as the parameter of that name; without it: now
   */
  timestamp?: string | number;
  coords: OsmandCoords;
  battery?: OsmandBattery;
  [k: string]: unknown;
}
/**
 * Accuracy, speed and heading below 0 are not known.
 */
export interface OsmandCoords {
  latitude: number;
  longitude: number;
  /**
   * metres
   */
  accuracy?: number;
  /**
   * m/s
   */
  speed?: number;
  /**
   * degrees clockwise from north
   */
  heading?: number;
  [k: string]: unknown;
}
/**
 * As of some seconds ago at most.
 */
export interface Overview {
  at: string;
  orders: OrderCounts;
  exceptions: ExceptionCounts;
  webhooks: WebhookHealth;
  hubs: HubInstance[];
  bridges: BridgeInstance[];
  workers: WorkerInstance[];
}
/**
 * `endpoints` names at most 100, those with the most dead and waiting first, of `registered`;
 * `callbacks` are those of all orders' notification URLs together.
 */
export interface WebhookHealth {
  registered: number;
  endpoints: EndpointHealth[];
  callbacks: DeliveryCounts;
  /**
   * origins that are left alone for a while
   */
  unreached: string[];
}
export interface WorkerInstance {
  worker: string;
  seenAt: string;
}
export interface PartnerSecret {
  partner: string;
  secret: string;
}
export interface Payment {
  orderId: string;
  paymentState: PaymentState;
  applied?: boolean;
}
export interface PaymentUpdate {
  state: PaymentState1;
}
export interface Ping {
  type: "ping";
  id?: number | string;
}
/**
 * A point in degrees. Told in GCJ-02 (`crs`), it is held, and told again, in WGS 84.
 */
export interface Point {
  lat: number;
  lng: number;
  crs?: "wgs84" | "gcj02";
}
export interface Pong {
  type: "pong";
  id?: number | string;
}
/**
 * Where the rider of an order was at `at`, as much of it as the audience may see.
 */
export interface Position {
  orderId: string;
  at: string;
  lat: number;
  lng: number;
  heading?: number;
  speed?: number;
  accuracy?: number;
  freshness: Freshness;
  estimatedTime?: number;
  /**
   * platform only
   */
  riderId?: string;
  /**
   * platform only
   */
  battery?: number;
  /**
   * the way since the position before, oldest first
   */
  trail?: TrailPoint[];
}
export interface TrailPoint {
  at: string;
  lat: number;
  lng: number;
}
export interface PositionMessage {
  orderId: string;
  at: string;
  lat: number;
  lng: number;
  heading?: number;
  speed?: number;
  accuracy?: number;
  freshness: Freshness;
  estimatedTime?: number;
  /**
   * platform only
   */
  riderId?: string;
  /**
   * platform only
   */
  battery?: number;
  /**
   * the way since the position before, oldest first
   */
  trail?: TrailPoint[];
  type: "position";
}
/**
 * Further members say more of some problems: `allowed` (statuses), `orderId`.
 */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: BadField[];
  [k: string]: unknown;
}
/**
 * All that `ordercast verify` needs. `seq` is the order's. `tip`: while it is not finished; a
 * finished order shows its end by its last event. `pending`: events that are newer than the head;
 * ask again in a minute. `rotations`: the heads that named a next key.
 */
export interface Proof {
  orderId: string;
  epoch: string;
  seq: number;
  events: Event[];
  head?: Head;
  tip?: Tip;
  inclusion: Inclusion[];
  pending: number[];
  rotations: Head[];
  consistency?: Consistency;
}
/**
 * Where an order that is not finished ended in the log at a time: no event of it came after
 * `seq` up to then. So none can be cut off without being missed.
 *
 * `signature` (base64) is by Ed25519 over `ordercast tip v1`, a newline, and the canonical JSON
 * (RFC 8785) of the tip without it.
 */
export interface Tip {
  /**
   * tells one log from another
   */
  log: string;
  orderId: string;
  epoch: string;
  seq: number;
  at: string;
  keyId: string;
  signature: string;
}
/**
 * Ready means: the store answers and a pub/sub probe came back lately.
 */
export interface Readiness {
  ready: boolean;
  hub: string;
  /**
   * what is missing, in words
   */
  reasons: string[];
}
/**
 * Send again what is held or dead of events since then.
 */
export interface RecoverRequest {
  since: string;
}
export interface Recovered {
  recovered: number;
}
/**
 * `POST` to a registered endpoint.
 */
export interface RegisteredBody {
  eventType: EventType | PartnerEventType;
  payload: StatusPayload;
  orderId: string;
  seq: number;
  timestamp: string;
  exception?: OrderException;
  /**
   * older events of the order that this one stands for
   */
  supersedes?: number[];
}
export interface Rejected {
  type: "rejected";
  seq?: number;
  reason: Rejection;
}
/**
 * `accepted` or `declined` answer an offer; `cancelled` cancels the order.
 */
export interface ResolutionRequest {
  resolution: Resolution1;
}
export interface Restaurant {
  name: string;
  location?: Place;
  address?: string;
  phone?: string;
  openingHours?: string;
  restaurantId: string;
}
export interface RestaurantUpdate {
  name: string;
  location?: Place;
  address?: string;
  phone?: string;
  openingHours?: string;
}
/**
 * The answer to a change that has no status of its own to report.
 */
export interface Result {
  orderId: string;
  seq: number;
  applied: boolean;
  ready?: boolean;
}
export interface RiderAssignment {
  riderId: string;
}
/**
 * The order now, as of `epoch` and `seq`; where its rider is, if the audience may see it.
 */
export interface Snapshot {
  orderId: string;
  epoch: string;
  seq: number;
  status: Status;
  courierState: CourierState;
  ready: boolean;
  readyAt?: string;
  createdAt: string;
  updatedAt: string;
  restaurantId: string;
  items: Item[];
  totalCents: number;
  address: Address;
  pickup?: Place;
  paymentMethod: PaymentMethod;
  notificationUrl?: string;
  externalId?: string;
  customerId?: string;
  riderId?: string;
  reason?: string;
  /**
   * those that are open, oldest first
   */
  exceptions?: OrderException[];
  /**
   * the customer's personal data is gone from it
   */
  erased?: true;
  estimatedTime?: number;
  eta?: Eta;
  position?: Position;
  trail?: TrailPoint[];
}
/**
 * `POST {notificationUrl}`, for every event that changes the status.
 */
export interface StatusChangeBody {
  eventType: EventType;
  payload: StatusPayload;
  seq: number;
}
/**
 * `applied` is false when nothing changed; `late` when the update came after its time.
 */
export interface StatusResult {
  orderId: string;
  status: Status;
  seq: number;
  applied: boolean;
  late?: boolean;
}
export interface StreamEvent {
  type: "event";
  orderId: string;
  epoch: string;
  seq: number;
  eventType: EventType;
  status: Status;
  timestamp: string;
  actor: Actor;
  courierState?: CourierState;
  estimatedTime?: number;
  eta?: Eta;
  reason?: string;
  exception?: OrderException;
  erased?: true;
}
export interface Subscribe {
  type: "subscribe";
  id: number | string;
  orderId: string;
  after?: After;
  crs?: "wgs84" | "gcj02";
}
/**
 * `id` is that of `subscribe`; over Server-Sent Events there is none.
 */
export interface Subscribed {
  type: "subscribed";
  id?: number | string;
  orderId: string;
  recovered: boolean;
  snapshot: Snapshot;
  events: StreamEvent[];
}
export interface Superseded {
  type: "superseded";
}
export interface Unsubscribe {
  type: "unsubscribe";
  id: number | string;
  orderId: string;
}
export interface Unsubscribed {
  type: "unsubscribed";
  id?: number | string;
  orderId: string;
  reason?: "finished" | "forbidden" | "lost";
}
export interface Welcome {
  type: "welcome";
  hub: string;
  /**
   * seconds between the hub's pings
   */
  ping: number;
  maxMessage: number;
  reconnect: Reconnect;
}

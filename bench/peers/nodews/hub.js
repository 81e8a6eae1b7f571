// A hub: what a rider sends to /rider/ORDER is sent to every customer on /customer/ORDER, of this
// hub and of all others on the same store. README.md says how to run it.
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const { PORT, STORE } = process.env;
const publisher = new Redis(STORE);
const subscriber = new Redis(STORE);
const customers = new Map(); // of each order, a Set of sockets
const text = { binary: false }; // else `ws` would send a Buffer as a binary message

// Buffers from end to end: what is sent is neither parsed nor copied into a string.
subscriber.on("messageBuffer", (channel, message) => {
  for (const socket of customers.get(channel.toString()) ?? []) socket.send(message, text);
});

function ride(socket, order) {
  socket.on("message", (message) => publisher.publish(order, message));
}

async function watch(socket, order) {
  if (!customers.has(order)) customers.set(order, new Set());
  customers.get(order).add(socket);
  socket.on("close", () => leave(socket, order));
  await subscriber.subscribe(order); // until the store has confirmed; twice does no harm
  socket.send('{"type":"subscribed"}');
}

function leave(socket, order) {
  const sockets = customers.get(order);
  sockets.delete(socket);
  if (sockets.size > 0) return;
  customers.delete(order);
  subscriber.unsubscribe(order);
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(PORT),
  perMessageDeflate: false,
  clientTracking: false,
});

server.on("connection", (socket, request) => {
  const [, role, order] = request.url.split("/");
  socket.on("error", console.error); // a broken frame, say; `ws` then closes the socket
  if (role === "rider") ride(socket, order);
  else watch(socket, order);
});

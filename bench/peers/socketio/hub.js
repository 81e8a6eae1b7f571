// A hub: a rider emits "fix", and the room of its order gets it, of this hub and of all others on
// the same store; a customer emits "subscribe". README.md says how to run it.
import { createServer } from "node:http";
import { createShardedAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const { PORT, STORE } = process.env;
const publisher = new Redis(STORE);
const subscriber = new Redis(STORE);
const server = createServer();

const io = new Server(server, {
  adapter: createShardedAdapter(publisher, subscriber), // a channel a room
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
});

io.engine.on("connection", (socket) => {
  socket.request = null; // the manual's advice: frees the memory of the first HTTP request
});

io.on("connection", (socket) => {
  socket.on("fix", (fix) => io.to(fix.orderId).emit("fix", fix));
  socket.on("subscribe", async (order, confirm) => {
    socket.join(order);
    await subscriber.ping(); // answered after the adapter's SSUBSCRIBE, as it was sent after it
    confirm();
  });
});

server.listen(Number(PORT), "127.0.0.1");

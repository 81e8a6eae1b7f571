/** `ordercast up` of the repository's virtual environment, to be killed. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../../.venv/bin/ordercast", import.meta.url));
const OURS = Object.entries(process.env).filter(([name]) => !name.startsWith("ORDERCAST_"));
const env = Object.fromEntries(OURS);

export class RealHub {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#process = child;
  }

  static async start(directory: string, port = 0): Promise<RealHub> {
    if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is not there; run make`);
    const child = spawn(COMMAND, ["up", "--port", String(port), "--data-dir", directory], {
      env,
      detached: true, // a process group of its own, to be killed as one
      stdio: ["ignore", "pipe", "ignore"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url] = line.match(/^ready (\S+)$/) ?? [];
      if (url !== undefined) return new RealHub(url, child);
    }
    throw new Error("ordercast up has ended without being ready");
  }

  /** With `kill -9`, the store included. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    process.kill(-(this.#process.pid as number), "SIGKILL");
    await ended;
  }
}

export function token(directory: string, ...claims: string[]): string {
  const signed = execFileSync(COMMAND, ["token", "--data-dir", directory, ...claims], { env });
  return signed.toString().trim();
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** The shop's and the dispatcher's side, by plain HTTP. */
export class Platform {
  readonly #bearer: string;

  constructor(bearer: string) {
    this.#bearer = bearer;
  }

  async place(url: string): Promise<{ orderId: string; streamToken: string }> {
    const answer = await this.#send(url, "POST", "/v1/orders", {
      restaurantId: "res_1",
      items: [{ itemId: "i1", name: "Mapo tofu", quantity: 1, unitPriceCents: 3200 }],
      address: { text: "1 Century Avenue", lat: 31.2397, lng: 121.4998 },
      pickup: { lat: 31.2304, lng: 121.4737 },
      paymentMethod: "CASH",
    });
    return (await answer.json()) as { orderId: string; streamToken: string };
  }

  async advance(url: string, orderId: string, ...statuses: string[]): Promise<void> {
    for (const status of statuses) {
      const body = { status, timestamp: new Date().toISOString() };
      await this.#send(url, "POST", `/v1/orders/${orderId}/status`, body);
    }
  }

  async assign(url: string, orderId: string, riderId: string): Promise<void> {
    await this.#send(url, "PUT", `/v1/orders/${orderId}/rider`, { riderId });
  }

  async #send(url: string, method: string, path: string, body: object): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.#bearer}`, "Content-Type": "application/json" };
    const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}

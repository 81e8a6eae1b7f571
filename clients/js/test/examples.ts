/** The files that the Python client's tests read too. */

import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../../schemas/examples/", import.meta.url);

export type Fields = Record<string, unknown>;

export interface Step {
  do?: string;
  orderId?: string;
  fix?: Fields;
  seq?: number;
  immediately?: boolean;
  now?: number;
  sends?: Fields[];
  hears?: Fields & { type: string };
  tells?: Fields[];
  fails?: string;
  code?: number;
  holds?: Fields;
}

export interface Trace {
  about: string;
  session: "user" | "rider";
  stays?: boolean;
  firstSeq?: number;
  capacity?: number;
  steps: Step[];
}

export function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
}

/** Every message of a direction: `to-user`, `to-rider`. */
export function messages(direction: string): [string, Fields & { type: string }][] {
  const names = readdirSync(FOLDER).filter((name) => name.startsWith(`${direction}.`));
  return names.map((name) => [name, read(name) as Fields & { type: string }]);
}

export function traces(): [string, Trace][] {
  const names = readdirSync(new URL("session/", FOLDER)).filter((name) => name.endsWith(".json"));
  return names.map((name) => [name, read(`session/${name}`) as Trace]);
}

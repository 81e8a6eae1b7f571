/** The examples of the README are checked as a user's compiler would. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** What a page has of its own. */
const PRELUDE = `
import type { PositionUpdate, RiderOrder } from "ordercast";
declare const token: string, orderId: string, position: PositionUpdate;
declare function show(status: string | undefined, minutes: number | undefined): void;
declare function moveTo(position: PositionUpdate): void;
declare function showOrders(orders: RiderOrder[]): void;
`;

test("the examples compile", () => {
  const blocks = Array.from(README.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code);
  const folder = mkdtempSync(join(ROOT, "node_modules", ".readme-"));
  try {
    const files = blocks.map((code, n) => {
      writeFileSync(join(folder, `${n}.ts`), PRELUDE + code);
      return `${n}.ts`;
    });
    const paths = { ordercast: [join(ROOT, "src", "index.ts")] };
    const compilerOptions = { paths, types: [], noUnusedLocals: false, rootDir: ROOT };
    const config = { extends: join(ROOT, "tsconfig.json"), compilerOptions, include: [], files };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    execFileSync(join(ROOT, "node_modules", ".bin", "tsc"), ["--project", folder], {
      encoding: "utf8",
    });
  } catch (error) {
    expect.fail((error as { stdout: string }).stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(blocks).toHaveLength(3);
});

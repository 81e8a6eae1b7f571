import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TARGET, types } from "../scripts/schema.mjs";
import { CloseCode, comesBack } from "../src/codes.ts";

test("src/schema.ts is current; `npm run schema` makes it so", async () => {
  expect(readFileSync(TARGET, "utf8")).toBe(await types());
});

interface DocumentedCode {
  code: number;
  name: string;
  comesBack: boolean;
}

const ASYNCAPI = new URL("../../../schemas/exported/asyncapi.json", import.meta.url);
const asyncapi = JSON.parse(readFileSync(ASYNCAPI, "utf8"));
const documented: DocumentedCode[] = asyncapi["x-close-codes"];

test("every documented close code is known by its name", () => {
  expect(CloseCode).toEqual(Object.fromEntries(documented.map(({ name, code }) => [name, code])));
});

test.each(documented)("$code $name: comes back is $comesBack", ({ code, comesBack: wanted }) => {
  expect(comesBack(code)).toBe(wanted);
});

test.each([
  [2999, false],
  [3000, true],
  [3499, true],
  [3500, false],
  [3999, false],
  [4000, true],
  [4499, true],
  [4500, false],
  [4999, false],
  [1000, false],
])("the range of %i says %s", (code, wanted) => {
  expect(comesBack(code)).toBe(wanted);
});

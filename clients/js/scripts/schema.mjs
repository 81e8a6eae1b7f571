/**
 * `npm run schema` writes src/schema.ts from the exported JSON Schema. A test holds that it is current.
 *
 * Two liberties: what may be left out is never null on the wire (schemas/PROTOCOL.md), so `| null`
 * goes from optional fields; and what only restates a type (titles, bounds) is no part of one.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const SOURCE = new URL("../../../schemas/exported/json-schema.json", import.meta.url);
export const TARGET = new URL("../src/schema.ts", import.meta.url);
const BANNER =
  "// Made from schemas/exported/json-schema.json by `npm run schema`; changes here get lost.";

/** @param {any} field */
function withoutNull(field) {
  const rest = field.anyOf?.filter((/** @type {any} */ one) => one.type !== "null");
  if (rest === undefined) return field;
  // A `$ref` with a description beside it would become a second type of that name.
  if (rest.length === 1)
    return rest[0].$ref ? rest[0] : { ...rest[0], description: field.description };
  return { ...field, anyOf: rest };
}

/** @param {any} model */
function absentInsteadOfNull(model) {
  const required = new Set(model.required);
  const fields = Object.entries(model.properties ?? {}).map(([name, field]) => [
    name,
    required.has(name) ? field : withoutNull(field),
  ]);
  return model.properties === undefined
    ? model
    : { ...model, properties: Object.fromEntries(fields) };
}

/** @returns {Promise<string>} the text that src/schema.ts should hold */
export async function types() {
  const { $defs } = JSON.parse(await readFile(SOURCE, "utf8"));
  const names = Object.keys($defs);
  const models = names.map((name) => [name, absentInsteadOfNull($defs[name])]);
  const everything = {
    description: "Every model that crosses the wires, by name.",
    properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }])),
    required: names,
    $defs: Object.fromEntries(models),
  };
  return compile(everything, "Models", {
    additionalProperties: false,
    bannerComment: BANNER,
    ignoreMinAndMaxItems: true,
    style: { printWidth: 100 },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(TARGET, await types());
}

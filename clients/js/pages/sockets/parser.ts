/** What the component needs of `@asyncapi/parser` for a document that has been read: none of its
 * schema validators, which make code at run time. */

export {
  isAsyncAPIDocument,
  isOldAsyncAPIDocument,
  isStringifiedDocument,
  toAsyncAPIDocument,
} from "@asyncapi/parser/esm/document.js";
export { SchemaV2 } from "@asyncapi/parser/esm/models/index.js";
export { unstringify } from "@asyncapi/parser/esm/stringify.js";

/** Named where documents are read, which nobody here does. */
export const Parser = undefined;
export const fromURL = undefined;
export const AvroSchemaParser = undefined;
export const OpenAPISchemaParser = undefined;
export const ProtoBuffSchemaParser = undefined;

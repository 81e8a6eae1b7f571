declare module "*.css";

declare module "virtual:asyncapi" {
  /** As `stringify` of `@asyncapi/parser` makes it. */
  const document: object;
  export default document;
}

declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export default function show(options: object): void;
}

declare module "@asyncapi/react-component/lib/esm/without-parser.js" {
  const component: import("react").FunctionComponent<{ schema: object; config: object }>;
  export default component;
}

/** The pages: each HTML file in `pages` is one. They are built into the Python package, `hub/pages`. */

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Parser, stringify } from "@asyncapi/parser";
import { defineConfig, type Plugin } from "vite";

const pages = readdirSync(new URL("pages", import.meta.url)).filter((name) =>
  name.endsWith(".html"),
);

const ASYNCAPI = new URL("../../schemas/exported/asyncapi.json", import.meta.url);

/** `virtual:asyncapi`: the exported document as its parser leaves it. */
const asyncapi: Plugin = {
  name: "asyncapi",
  resolveId: (id) => (id === "virtual:asyncapi" ? `\0${id}` : null),
  async load(id) {
    if (id !== "\0virtual:asyncapi") return null;
    const { document, diagnostics } = await new Parser().parse(await readFile(ASYNCAPI, "utf8"));
    if (document === undefined) throw new Error(JSON.stringify(diagnostics));
    return `export default JSON.parse(${JSON.stringify(stringify(document))});`;
  },
};

/** `ride.webmanifest`, with the icon by its name, so that Ride can be installed. */
const manifest: Plugin = {
  name: "manifest",
  async generateBundle(_, bundle) {
    const told = await readFile(new URL("pages/ride/manifest.json", import.meta.url), "utf8");
    const icon = Object.keys(bundle).find((name) => /^icon-.*\.svg$/.test(name));
    const icons = [{ src: `/pages/${icon}`, sizes: "any", type: "image/svg+xml" }];
    const source = JSON.stringify({ ...JSON.parse(told), icons });
    this.emitFile({ type: "asset", fileName: "ride.webmanifest", source });
  },
};

/** A service worker is known by its address: its name has no digest. */
const WORKER = "ride-worker";

export default defineConfig({
  root: "pages",
  base: "/pages/",
  publicDir: false,
  plugins: [asyncapi, manifest],
  resolve: {
    alias: [
      {
        find: /^@asyncapi\/(parser(\/cjs\/document)?|(openapi|protobuf|avro)-schema-parser)$/,
        replacement: fileURLToPath(new URL("pages/sockets/parser.ts", import.meta.url)),
      },
    ],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../../hub/pages",
    emptyOutDir: true,
    assetsDir: "",
    target: "es2022",
    chunkSizeWarningLimit: 3000, // of the documents; what people wait for on the way is small
    modulePreload: { polyfill: false },
    license: { fileName: "licences.md" },
    rolldownOptions: {
      input: {
        ...Object.fromEntries(pages.map((name) => [name.replace(".html", ""), `pages/${name}`])),
        [WORKER]: "pages/ride/worker.ts",
      },
      output: {
        entryFileNames: ({ name }) => (name === WORKER ? "[name].js" : "[name]-[hash].js"),
      },
    },
  },
});

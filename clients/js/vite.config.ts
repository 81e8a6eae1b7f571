/** The pages: each HTML file in `pages` is one. They are built into the Python package, `hub/pages`. */

import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const pages = readdirSync(new URL("pages", import.meta.url)).filter((name) =>
  name.endsWith(".html"),
);

export default defineConfig({
  root: "pages",
  base: "/pages/",
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../../../hub/pages",
    emptyOutDir: true,
    assetsDir: "",
    target: "es2022",
    modulePreload: { polyfill: false },
    license: { fileName: "licences.md" },
    rolldownOptions: { input: pages.map((name) => `pages/${name}`) },
  },
});

/** The sockets, by the AsyncAPI document, which was read when the page was built. */

import AsyncApi from "@asyncapi/react-component/lib/esm/without-parser.js";
import "@asyncapi/react-component/styles/default.min.css";
import read from "virtual:asyncapi";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { type Amendment, amend } from "../docs/amend.ts";
import "../docs/docs.css";
import "./sockets.css";

const AMENDMENTS: readonly Amendment[] = [
  ["#introduction .text-4xl", "role", "heading"],
  ["#introduction .text-4xl", "aria-level", "1"],
  [".panel-item h5.text-gray-800", "aria-level", "3"],
  [".sidebar--content h1", "aria-level", "2"],
  [":has(> [role=tab])", "role", "tablist"],
  ["[role=tab]", "aria-controls", null], // which names nothing that there is
  ["div.burger-menu", "role", "button"],
  ["div.burger-menu", "tabindex", "0"],
  ["div.burger-menu", "aria-label", "Contents"],
];

const config = {
  show: { sidebar: true, errors: false },
  expand: { messageExamples: true },
};
const page = document.getElementById("api") as HTMLElement;
amend(page, AMENDMENTS);
createRoot(page).render(createElement(AsyncApi, { schema: read, config }));

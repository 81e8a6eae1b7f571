/** The sockets, by the AsyncAPI document, which was read when the page was built. */

import AsyncApi from "@asyncapi/react-component/lib/esm/without-parser.js";
import "@asyncapi/react-component/styles/default.min.css";
import read from "virtual:asyncapi";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "../docs/docs.css";

const config = {
  show: { sidebar: true, errors: false },
  expand: { messageExamples: true },
};
const page = document.getElementById("api") as HTMLElement;
createRoot(page).render(createElement(AsyncApi, { schema: read, config }));

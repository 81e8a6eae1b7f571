/** The HTTP API, from the document of the hub that served the page, with requests to try on it. */

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";
import "./http.css";
import { type Amendment, amend } from "./amend.ts";

const AMENDMENTS: readonly Amendment[] = [
  [".information-container", "role", "region"],
  [".information-container", "aria-label", "About"],
  [".schemes-server-container", "role", "region"],
  [".schemes-server-container", "aria-label", "Server"],
  ["section.filter", "role", "search"],
  ["#servers", "aria-label", "Server"],
  [".examples-select-element", "aria-label", "Example"],
  ["select.content-type", "aria-label", "Media type"],
  [".body-param__text", "aria-label", "Request body"],
  ["pre.microlight", "tabindex", "0"], // they scroll
  [".modal-ux", "role", "dialog"],
  [".modal-ux", "aria-modal", "true"],
  [".modal-ux", "aria-label", "Authorize"],
  [".close-modal", "aria-label", "Close"],
  [".auth.authorize", "aria-label", "Authorize: apply credentials"],
  [".modal-ux h3", "aria-level", "2"],
  [".modal-ux h4", "aria-level", "3"],
  [".opblock-tag", "aria-level", "2"],
  [".models > h4", "aria-level", "2"],
  [".opblock h4", "aria-level", "3"],
  [".opblock h5", "aria-level", "4"],
];

/** Swagger UI warns of a dialect other than its own; we use nothing that the two read differently. */
async function read(): Promise<object> {
  const { jsonSchemaDialect: _, ...spec } = await (await fetch("/openapi.json")).json();
  return spec;
}

// Its dark colours are chosen by a class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const choose = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", choose);
choose();

amend(document.getElementById("api") as HTMLElement, AMENDMENTS);
SwaggerUI({
  dom_id: "#api",
  spec: await read(),
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  tryItOutEnabled: true,
  // Nothing is sent to anybody else, and the token is kept for this page alone.
  validatorUrl: null,
  persistAuthorization: false,
});

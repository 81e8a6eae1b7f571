/** The HTTP API, from the document of the hub that served the page, with requests to try on it. */

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

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

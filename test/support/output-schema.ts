import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";

const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/output.schema.json"), "utf8"));
// Strict: a misspelt keyword of the schema is an error, not a rule less. What its own `if` makes of `required` is not
// understood.
const validate = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true }).compile(
  SCHEMA,
);

/** What a document has wrong against docs/output.schema.json: a line for each fault, none where it is valid. */
export function schemaFaults(document: unknown): readonly string[] {
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

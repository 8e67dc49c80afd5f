import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import Ajv2020, { type ErrorObject } from "ajv/dist/2020";

const ROOT = join(import.meta.dirname, "../../..");

/** The statements about known vulnerabilities, which are attested with each image. */
export const VEX_PATH = join(ROOT, "deploy/vex/csi-livenessprobe.openvex.json");

/** Of a document, and the type of its attestation. */
export const OPENVEX = "https://openvex.dev/ns/v0.2.0";

/**
 * The image: every tag, digest and variant of it, since the purl has neither version nor qualifiers. Scanners compare
 * the name with the last part of the repository's name.
 */
export const PRODUCT = "pkg:oci/csi-livenessprobe";

/** Why `not_affected`; https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md#status-justifications. */
export const JUSTIFICATIONS = [
  "component_not_present",
  "vulnerable_code_not_present",
  "vulnerable_code_not_in_execute_path",
  "vulnerable_code_cannot_be_controlled_by_adversary",
  "inline_mitigations_already_exist",
] as const;

/** What a person has found out; `under_investigation` is a draft. */
export type Assessment =
  | {
      readonly status: "not_affected";
      readonly justification?: (typeof JUSTIFICATIONS)[number];
      readonly impact_statement?: string;
    }
  | { readonly status: "affected"; readonly action_statement: string }
  | { readonly status: "fixed" }
  | { readonly status: "under_investigation" };

/** About one vulnerability in some packages of the image. */
export type Statement = Assessment & {
  readonly vulnerability: { readonly name: string; readonly aliases?: readonly string[] };
  readonly products: readonly [{ readonly "@id": typeof PRODUCT; readonly subcomponents: readonly Component[] }];
  /** When it was written, in RFC 3339. */
  readonly timestamp: string;
  /** How it was found out. */
  readonly status_notes?: string;
};

interface Component {
  /** A purl without qualifiers. Without a version it is every version. */
  readonly "@id": string;
}

/** A document of OpenVEX 0.2.0. */
export interface VexDocument {
  readonly "@context": typeof OPENVEX;
  readonly "@id": string;
  readonly author: string;
  readonly timestamp: string;
  readonly last_updated?: string;
  /** Counts the changes. */
  readonly version: number;
  readonly statements: readonly Statement[];
}

/**
 * @returns the statements of a file; none where it does not exist
 * @throws with its fault, in one line
 */
export function readVex(path: string): VexDocument | undefined {
  if (!existsSync(path)) return undefined;
  const name = relative(process.cwd(), path);
  return checkVex(parse(readFileSync(path, "utf8"), name), name);
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

const TEXT = { type: "string", minLength: 1 } as const;
const TIME = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$" };

/** All fields are named, so that a misspelt one is a fault. */
function object(required: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) {
  const properties = { ...required, ...optional };
  return { type: "object", required: Object.keys(required), properties, additionalProperties: false };
}

const SUBCOMPONENT = object({ "@id": { type: "string", pattern: "^pkg:[a-z]+/[^?#]+$" } });
const ABOUT = {
  vulnerability: object({ name: TEXT }, { aliases: { type: "array", items: TEXT } }),
  products: {
    type: "array",
    minItems: 1,
    maxItems: 1,
    items: object({ "@id": { const: PRODUCT }, subcomponents: { type: "array", minItems: 1, items: SUBCOMPONENT } }),
  },
  timestamp: TIME,
};
const status = (value: string, required = {}, optional = {}) =>
  object({ ...ABOUT, status: { const: value }, ...required }, { status_notes: TEXT, ...optional });
const NOT_AFFECTED = {
  ...status("not_affected", {}, { justification: { enum: JUSTIFICATIONS }, impact_statement: TEXT }),
  // The schema of OpenVEX refuses both, though its text does not.
  oneOf: [{ required: ["justification"] }, { required: ["impact_statement"] }],
};
const STATUSES = [
  NOT_AFFECTED,
  status("affected", { action_statement: TEXT }),
  status("fixed"),
  status("under_investigation"),
];
const DOCUMENT = object(
  {
    "@context": { const: OPENVEX },
    "@id": { type: "string", pattern: "^https?://" },
    author: TEXT,
    timestamp: TIME,
    version: { type: "integer", minimum: 1 },
    statements: {
      type: "array",
      minItems: 1,
      items: { type: "object", required: ["status"], discriminator: { propertyName: "status" }, oneOf: STATUSES },
    },
  },
  { last_updated: TIME },
);
const matches = new Ajv2020({ discriminator: true, strictRequired: false }).compile<VexDocument>(DOCUMENT);

/**
 * @param name of the file, for the error
 * @throws where scanners would refuse the document, or differ in what they read in it
 */
export function checkVex(document: unknown, name: string): VexDocument {
  if (!matches(document)) throw new Error(`${name}: ${faultOf(matches.errors ?? [], document)}`);
  const named = document.statements.flatMap(({ vulnerability, products }) =>
    products[0].subcomponents.map((each) => `${vulnerability.name} in ${each["@id"]}`),
  );
  const twice = named.find((each, index) => named.indexOf(each) !== index);
  // grype takes the oldest, and trivy the newest.
  if (twice !== undefined) throw new Error(`${name}: there are two statements about ${twice}: keep one`);
  return document;
}

function faultOf(errors: readonly ErrorObject[], document: unknown): string {
  const error = errors.at(-1);
  const [, index] = /^\/statements\/(\d+)/.exec(error?.instancePath ?? "") ?? [];
  // It may have any form.
  const statements = (document as { readonly statements?: readonly Partial<Statement>[] } | null)?.statements;
  const where =
    index === undefined ? "" : `statement ${Number(index) + 1} (${statements?.[Number(index)]?.vulnerability?.name}): `;
  return `${where}${textOf(error)}`;
}

function textOf(error: ErrorObject | undefined): string {
  const field = error?.instancePath.replace(/^\/statements\/\d+/, "").slice(1) ?? "";
  switch (error?.keyword) {
    case "oneOf":
      return "not_affected needs either a justification or an impact_statement";
    case "discriminator":
      return "status must be not_affected, affected, fixed or under_investigation";
    case "additionalProperties":
      return `there is no field ${error.params["additionalProperty"]}${field === "" ? "" : ` in ${field}`} with this status`;
    case "const":
      return `${field} must be ${error.params["allowedValue"]}`;
    case "enum":
      return `${field} must be one of ${error.params["allowedValues"].join(", ")}`;
    default:
      return `${field} ${error?.message}`.trim();
  }
}

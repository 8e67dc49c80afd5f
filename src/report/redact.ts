import { REDACTED } from "./redact-named";
import { redactText, type RedactionKind } from "./redact-text";
import { kindOfName } from "./secret-names";

/** What was cut, without what it was. */
export interface Redaction {
  /** The member of the document, such as `inspections[0].steps[6].details[0]`. */
  readonly where: string;
  readonly kind: RedactionKind;
  readonly count: number;
}

/** Part of a document, and what was cut out of it. */
export interface Redacted<Part> {
  readonly part: Part;
  readonly redactions: readonly Redaction[];
}

/**
 * Cuts what looks like a secret out of all texts of a document: see `redactText`. What is named as a secret is cut
 * whole, and so is a container's log, in which each line may hold one.
 */
export function redactDocument(document: object): Redacted<object> {
  const redactions: Redaction[] = [];
  const texts = (value: unknown, where: string): unknown => {
    if (typeof value === "string") {
      const { text, counts } = redactText(value);
      for (const [kind, count] of counts) redactions.push({ where, kind, count });
      return text;
    }
    if (Array.isArray(value))
      return value.map((item, index) => entry(item, `${where}[${index}]`, flagIn(value[index - 1])));
    return typeof value === "object" && value !== null ? members(value, where) : value;
  };
  const entry = (value: unknown, where: string, kind: RedactionKind | undefined): unknown => {
    if (kind === undefined || value === undefined) return texts(value, where);
    redactions.push({ where, kind, count: Array.isArray(value) ? value.length : 1 });
    return Array.isArray(value) ? [REDACTED] : REDACTED;
  };
  const members = (value: object, where: string): object =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        // Other programs may have written it: a name is text, too.
        const safe = redactText(name).text;
        const path = where === "" ? safe : `${where}.${safe}`;
        return [safe, entry(member, path, name === "log" ? "container log" : kindOfName(nameOf(name, value)))];
      }),
    );
  return { part: members(document, ""), redactions };
}

/** What a member is called: a value by the name beside it, as in the environment of a container. */
function nameOf(member: string, owner: object): string {
  if (!/^value$/i.test(member)) return member;
  const beside = Object.entries(owner).find(([name, text]) => /^(?:name|key)$/i.test(name) && typeof text === "string");
  return beside === undefined ? member : String(beside[1]);
}

/** What follows an item in a list of arguments. */
function flagIn(item: unknown): RedactionKind | undefined {
  return typeof item === "string" && /^-+[\w-]+$/.test(item) ? kindOfName(item) : undefined;
}

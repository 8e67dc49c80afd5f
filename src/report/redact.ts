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
 * Cuts what looks like a secret out of all texts of a document: see `redactText`. What is named as a secret is cut whole, and so is a
 * container's log, in which each line may hold one.
 */
export function redactDocument(document: object): Redacted<object> {
  const redactions: Redaction[] = [];
  const texts = (value: unknown, where: string): unknown => {
    if (typeof value === "string") {
      const { text, counts } = redactText(value);
      for (const [kind, count] of counts) redactions.push({ where, kind, count });
      return text;
    }
    if (Array.isArray(value)) return value.map((item, index) => texts(item, `${where}[${index}]`));
    return typeof value === "object" && value !== null ? members(value, where) : value;
  };
  const members = (value: object, where: string): object =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        // Other programs may have written it: a name is text, too.
        const safe = redactText(name).text;
        const path = where === "" ? safe : `${where}.${safe}`;
        const kind = name === "log" ? "container log" : kindOfName(name);
        if (kind === undefined || member === undefined) return [safe, texts(member, path)];
        redactions.push({ where: path, kind, count: Array.isArray(member) ? member.length : 1 });
        return [safe, Array.isArray(member) ? [REDACTED] : REDACTED];
      }),
    );
  return { part: members(document, ""), redactions };
}

import { escapeUnprintable } from "../../base/text";

/** Text that is HTML already. Only `html` makes it. */
export interface Html {
  readonly html: string;
}

type Value = string | number | undefined | Html | readonly Html[];

/** A template for HTML: what is put in is escaped, unless it is HTML itself. Undefined is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: parts.map((part, index) => part + textOf(values[index])).join("") };
}

function textOf(value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  return "html" in value ? value.html : value.map((each) => each.html).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return escapeUnprintable(text).replace(/[&<>"']/g, (found) => ENTITIES[found] ?? "");
}

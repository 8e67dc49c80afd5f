import { type Colour, cutToWidth, padToWidth, paint, wrapWords } from "./layout";
import type { Style } from "./style";

/** A column of a table of `Row`s. */
export interface TableColumn<Row> {
  readonly header: string;
  /** One line that is fit for a terminal; empty where there is nothing to tell. */
  readonly text: (row: Row) => string;
  readonly colour?: (row: Row) => Colour;
  /**
   * Which columns a narrow terminal loses from the row, to lines of their own below it: the smallest number first, those of one
   * number together. Without one it always stays.
   */
  readonly leaves?: number;
  /**
   * In a terminal, whatever its width: `below` is on a line of its own below the row, and `note` on the first such line, without its
   * name. Elsewhere both are as `row`.
   */
  readonly place?: Place;
  /** The width that it takes at most in a terminal of so many columns; a wider text is cut in the row, and whole below it. */
  readonly atMost?: (terminalWidth: number) => number;
}

export type Place = "row" | "below" | "note";

/**
 * Rows under upper-case headers, left-aligned, without frames, as `kubectl get` writes them; empty where there are no rows.
 *
 * Nothing is lost in a narrow terminal: what does not fit into the row stands below it, indented, by its header's name. Where it is
 * no terminal, each row is one line with everything.
 */
export function renderTable<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[], style: Style): string {
  if (rows.length === 0) return "";
  const width = style.columns ?? Infinity;
  const fields = columns.map((column) => layOut(column, rows, width));
  const kept = keepWhatFits(fields, width);
  const headers = joinCells(kept, ({ header }) => header);
  const lines = rows.flatMap((_, row) => [
    joinCells(kept, (field) => cellText(field, row, style.colour)),
    ...detailLines(fields, kept, row, width),
  ]);
  return [headers, ...lines, ""].join("\n");
}

const GAP = "   ";
const INDENT = "  ";
const NOTHING = "-";

/** A column with what it holds, row by row. */
interface Field {
  readonly header: string;
  readonly leaves: number | undefined;
  readonly place: Place;
  readonly texts: readonly string[];
  /** The texts as they stand in the row. */
  readonly cells: readonly string[];
  readonly colours: readonly Colour[];
  readonly width: number;
}

function layOut<Row>(column: TableColumn<Row>, rows: readonly Row[], terminalWidth: number): Field {
  const { header, leaves, atMost = () => Infinity, colour = () => "none" as const } = column;
  const widest = terminalWidth === Infinity ? Infinity : Math.max(header.length, Math.floor(atMost(terminalWidth)));
  const texts = rows.map(column.text);
  const cells = texts.map((text) => (text === "" ? NOTHING : cutToWidth(text, widest)));
  return {
    header,
    leaves,
    place: terminalWidth === Infinity ? "row" : (column.place ?? "row"),
    texts,
    cells,
    colours: rows.map(colour),
    width: Math.max(header.length, ...cells.map((cell) => Bun.stringWidth(cell))),
  };
}

function keepWhatFits(fields: readonly Field[], width: number): readonly Field[] {
  const inRow = fields.filter(({ place }) => place === "row");
  const ranks = [...new Set(inRow.flatMap(({ leaves }) => (leaves === undefined ? [] : [leaves])))];
  const steps = [-Infinity, ...ranks.toSorted((a, b) => a - b)];
  const choices = steps.map((gone) => inRow.filter(({ leaves = Infinity }) => leaves > gone));
  return choices.find((kept) => totalWidth(kept) <= width) ?? choices.at(-1) ?? inRow;
}

function totalWidth(fields: readonly Field[]): number {
  return fields.reduce((sum, { width }) => sum + GAP.length + width, -GAP.length);
}

function joinCells(fields: readonly Field[], textOf: (field: Field) => string): string {
  const cells = fields.map((field) => padToWidth(textOf(field), field.width));
  return cells.join(GAP).trimEnd();
}

function cellText({ cells, colours }: Field, row: number, coloured: boolean): string {
  const text = cells[row] ?? NOTHING;
  return coloured ? paint(text, colours[row] ?? "none") : text;
}

/** What the row does not hold, or not in whole: the note, then what would have been in the row, several on a line, then the others. */
function detailLines(fields: readonly Field[], kept: readonly Field[], row: number, width: number): readonly string[] {
  const missing = fields.filter((field) => !kept.includes(field) || field.cells[row] !== field.texts[row]);
  const items = (place: Place): readonly string[] =>
    missing
      .filter((field) => field.place === place && (field.texts[row] ?? "") !== "")
      .map(({ header, texts }) => `${place === "note" ? "" : `${header.toLowerCase()}: `}${texts[row]}`);
  const lines = [...items("note"), ...joinToWidth(items("row"), width - INDENT.length), ...items("below")];
  return lines.flatMap((line) => indent(line, width));
}

function joinToWidth(items: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const item of items) {
    const joined = [...lines.slice(-1), item].join(GAP);
    if (Bun.stringWidth(joined) <= width) lines.splice(-1, 1, joined);
    else lines.push(item);
  }
  return lines;
}

function indent(line: string, width: number): readonly string[] {
  if (Bun.stringWidth(line) <= width - INDENT.length) return [INDENT + line];
  const [first = "", ...more] = wrapWords(line, width - 2 * INDENT.length);
  return [INDENT + first, ...more.map((each) => INDENT + INDENT + each)];
}

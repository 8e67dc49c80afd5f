import { type Colour, cutToWidth, padToWidth, paint, wrapWords } from "./layout";
import type { Style } from "./style";

/** A column of a table of `Row`s. */
export interface TableColumn<Row> {
  readonly header: string;
  /** One line, escaped; empty where nothing is known. */
  readonly text: (row: Row) => string;
  readonly colour?: (row: Row) => Colour;
  /**
   * Columns leave the row of a narrow terminal for lines below it, the smallest number first. Without a number it
   * stays.
   */
  readonly leaves?: number;
  /**
   * In a terminal, `below` is on a line of its own below the row, and `note` on the first such line, without its name.
   */
  readonly place?: Place;
  /** Its greatest width in a terminal of so many columns; a wider text is cut in the row, and stands whole below it. */
  readonly atMost?: (terminalWidth: number) => number;
}

export type Place = "row" | "below" | "note";

/**
 * Rows under upper-case headers, left-aligned, without frames, like `kubectl get`; empty where there are no rows. In a
 * narrow terminal, what does not fit into a row stands below it under its header's name. Elsewhere each row is one
 * line.
 */
export function renderTable<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[], style: Style): string {
  if (rows.length === 0) return "";
  const { header, blocks } = layOutTable(columns, rows, style);
  return [header, ...blocks.flat(), ""].join("\n");
}

/** The header of a table, and for each row a block: its line, and those that stand below it. */
export function layOutTable<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[], style: Style) {
  const width = style.columns ?? Infinity;
  const fields = columns.map((column) => layOut(column, rows, width));
  const kept = keepWhatFits(fields, width);
  const blocks = rows.map((_, row) => [
    joinCells(kept, (field) => cellText(field, row, style.colour)),
    ...detailLines(fields, kept, row, width),
  ]);
  return { header: joinCells(kept, ({ header }) => header), blocks };
}

const GAP = "   ";
const INDENT = "  ";
const NOTHING = "-";

/** A column with what it holds, row by row. */
interface Field {
  readonly header: string;
  readonly leaves: number;
  readonly place: Place;
  readonly texts: readonly string[];
  /** The texts as they stand in the row. */
  readonly cells: readonly string[];
  readonly colours: readonly Colour[];
  readonly width: number;
}

function layOut<Row>(column: TableColumn<Row>, rows: readonly Row[], terminalWidth: number): Field {
  const { header, leaves = Infinity, place = "row", atMost = () => Infinity, colour = () => "none" as const } = column;
  const isTerminal = terminalWidth !== Infinity;
  const widest = isTerminal ? Math.max(header.length, Math.floor(atMost(terminalWidth))) : Infinity;
  const texts = rows.map(column.text);
  const cells = texts.map((text) => (text === "" ? NOTHING : cutToWidth(text, widest)));
  const width = Math.max(header.length, ...cells.map((cell) => Bun.stringWidth(cell)));
  return { header, leaves, place: isTerminal ? place : "row", texts, cells, colours: rows.map(colour), width };
}

function keepWhatFits(fields: readonly Field[], width: number): readonly Field[] {
  let kept = fields.filter(({ place }) => place === "row");
  while (totalWidth(kept) > width && kept.some(({ leaves }) => leaves !== Infinity)) {
    const next = Math.min(...kept.map(({ leaves }) => leaves));
    kept = kept.filter(({ leaves }) => leaves > next);
  }
  return kept;
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

/** What the row does not show, or not whole: the note, then the cells that left the row, then what is always below. */
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

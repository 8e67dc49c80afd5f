import { median } from "./statistics";

/** One row: what was measured, and each measurement of it. Where nothing could be measured there are no samples. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Digits behind the point. */
  readonly digits: number;
  readonly ours: readonly number[];
  /** In the order of `ours`: the samples of one index were taken next to each other. */
  readonly baseline: readonly number[];
  /** Of a program that is nothing but `Bun.serve`, where a figure is compared with it. */
  readonly bare?: readonly number[];
}

export interface Section {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** What a reader must know of how these were measured, a sentence each. */
  readonly notes: readonly string[];
}

/** One run of the bench. */
export interface Report {
  /** What the second program is called; absent where there is none. */
  readonly baseline?: string;
  /** The machine, the programs and the run, a sentence each. */
  readonly about: readonly string[];
  readonly sections: readonly Section[];
}

/** A section as a Markdown table, its columns aligned, with its notes behind it. */
export function renderSection(section: Section, baseline: string | undefined): string {
  const columns = columnsOf(section, baseline);
  const rows = section.figures.map((figure) => [nameOf(figure), ...columns.map((column) => column.cell(figure))]);
  const table = renderTable([section.title, ...columns.map((column) => column.header)], rows);
  const shown = rows.length === 0 ? `${section.title}:` : table;
  return [shown, "", ...section.notes.map((note) => `- ${note}`)].join("\n").trimEnd();
}

interface Column {
  readonly header: string;
  readonly cell: (figure: Figure) => string;
}

/**
 * The columns of a section; that of the bare program where there is something in it.
 *
 * @param baseline what the second program is called; undefined where there is none
 */
function columnsOf(section: Section, baseline: string | undefined): readonly Column[] {
  const compared = [
    samplesColumn(baseline ?? "", (figure) => figure.baseline),
    { header: "ratio", cell: (figure: Figure) => spread(ratios(figure), 2) },
  ];
  const bare = samplesColumn("bare Bun", (figure) => figure.bare ?? []);
  return [
    samplesColumn("livenessprobe", (figure) => figure.ours),
    ...(baseline === undefined ? [] : compared),
    ...(section.figures.some((figure) => figure.bare?.length) ? [bare] : []),
  ];
}

/** Rows under headers as a Markdown table: the first column to the left, the others to the right. */
export function renderTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headers.map((header, column) =>
    Math.max(3, header.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(headers), line(rule), ...rows.map(line)].join("\n");
}

function samplesColumn(header: string, of: (figure: Figure) => readonly number[]): Column {
  return { header, cell: (figure) => spread(of(figure), figure.digits) };
}

/** `12.3 (11.9-14.0)`: the median and, where there are several values that differ, the smallest and the largest. */
export function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return "-";
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  );
  return least === most ? `${middle}` : `${middle} (${least}-${most})`;
}

/**
 * Ours in proportion to the baseline, each pair by itself: what slows a machine down for a while slows both of a pair.
 */
export function ratios({ ours, baseline }: Pick<Figure, "ours" | "baseline">): readonly number[] {
  return ours.flatMap((value, index) => {
    const other = baseline[index];
    return other === undefined || other === 0 ? [] : [value / other];
  });
}

function nameOf({ name, unit }: Figure): string {
  return unit === "" ? name : `${name}, ${unit}`;
}

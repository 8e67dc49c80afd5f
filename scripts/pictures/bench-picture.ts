import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { median } from "../../bench/statistics";
import type { Figure, Report } from "../../bench/table";
import { FONT, type Theme } from "./theme";

const TITLE = "Memory, latency and throughput beside a Go sidecar";
const OURS = "livenessprobe";

/** A chart of its own, with one scale. */
interface Chart {
  readonly title: string;
  /** What each pair of bars is called, and the figure of the bench that it shows. */
  readonly rows: readonly (readonly [name: string, figure: string])[];
}

const CHARTS: readonly Chart[] = [
  {
    title: "Anonymous memory, MiB (less is better)",
    rows: [
      ["idle", "anonymous, idle"],
      ["after 20,000 probes", "anonymous, after 20,000 probes"],
      ["after 50 callers", "anonymous, after 50 callers"],
    ],
  },
  {
    title: "Latency of one caller, ms (less is better)",
    rows: [
      ["p50", "one caller, p50"],
      ["p99", "one caller, p99"],
    ],
  },
  {
    title: "Answers a second to 50 callers (more is better)",
    rows: [
      ["new connections", "50 callers, answers per second"],
      ["kept connections", "50 kept connections, answers per second"],
    ],
  },
];

/**
 * Draws medians of the bench as bars, ours beside the baseline's.
 *
 * @throws where the report lacks a figure, as a quick run does
 */
export async function drawBench(report: Report, theme: Theme): Promise<string> {
  const figures = new Map(report.sections.flatMap((section) => section.figures).map((figure) => [figure.name, figure]));
  const values = CHARTS.map(({ rows }) =>
    rows.flatMap(([name, key]) => bars(name, key, figures.get(key), report.baseline ?? "")),
  );
  const view = new View(parse(compile(specOf(values, report, theme)).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  const told = values.flat().map(({ row, program, label }) => `${row}, ${program}: ${label}`);
  return describe(svg, `${CHARTS.map(({ title }) => title).join("; ")}. ${told.join("; ")}.`);
}

interface Bar {
  readonly row: string;
  readonly program: string;
  readonly value: number;
  readonly label: string;
}

function bars(row: string, key: string, figure: Figure | undefined, baseline: string): readonly Bar[] {
  if (figure === undefined) throw new Error(`bench.json has no figure "${key}": it takes a full run with a baseline`);
  return [[OURS, figure.ours] as const, [baseline, figure.baseline] as const].map(([program, samples]) => ({
    row,
    program,
    value: median(samples),
    label: labelOf(median(samples), figure),
  }));
}

function labelOf(value: number, { digits }: Figure): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const NAMES_WIDTH = 202;
const BARS_WIDTH = 556;
const BAR_STEP = 17;

function specOf(values: readonly (readonly Bar[])[], { baseline, about }: Report, theme: Theme): TopLevelSpec {
  return {
    background: theme.background,
    padding: 20,
    title: {
      text: TITLE,
      // The machine, in the words of the bench.
      subtitle: `${about[0] ?? ""} Medians.`,
      anchor: "start",
      frame: "bounds",
      offset: 12,
    },
    spacing: 22,
    vconcat: CHARTS.map(({ title }, index) => ({
      title: { text: title, anchor: "start", frame: "group", dx: -NAMES_WIDTH, fontSize: 14 },
      width: BARS_WIDTH,
      height: { step: BAR_STEP },
      data: { values: [...(values[index] ?? [])] },
      encoding: {
        y: { field: "row", type: "nominal", sort: null, axis: { title: null }, scale: { paddingInner: 0.3 } },
        yOffset: { field: "program", sort: null },
        // Room for the number behind the longest bar.
        x: {
          field: "value",
          type: "quantitative",
          axis: null,
          scale: { domainMax: 1.12 * Math.max(...(values[index] ?? []).map(({ value }) => value)) },
        },
      },
      layer: [
        {
          mark: { type: "bar", cornerRadiusEnd: 2 },
          encoding: {
            color: {
              field: "program",
              type: "nominal",
              title: null,
              scale: { domain: [OURS, baseline ?? ""], range: [theme.accent, theme.neutral] },
            },
          },
        },
        {
          mark: { type: "text", align: "left", dx: 6, baseline: "middle", color: theme.text, fontSize: 13 },
          encoding: { text: { field: "label" } },
        },
      ],
    })),
    config: {
      font: FONT,
      view: { stroke: null },
      title: {
        color: theme.text,
        fontSize: 17,
        subtitleColor: theme.faintText,
        subtitleFontSize: 13,
        subtitlePadding: 6,
      },
      axisY: {
        labelColor: theme.text,
        labelFontSize: 13,
        labelLimit: 0,
        minExtent: NAMES_WIDTH,
        maxExtent: NAMES_WIDTH,
        domain: false,
        ticks: false,
        labelPadding: 8,
      },
      legend: {
        orient: "top",
        direction: "horizontal",
        labelColor: theme.text,
        labelFontSize: 13,
        symbolType: "square",
        symbolSize: 140,
      },
    },
  };
}

/** Gives a picture the title and the description that a screen reader reads. */
function describe(svg: string, description: string): string {
  return svg.replace(/^(<svg [^>]*>)/, `$1\n<title>${TITLE}</title>\n<desc>${description}</desc>\n`) + "\n";
}

/** One line of a metric family: a histogram's are told apart by their names' ends. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const COMMENT = /^# (?<keyword>HELP|TYPE) (?<name>[a-zA-Z_:][\w:]*) (?<text>.*)$/;
const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
const LABEL = /^(?<name>[a-zA-Z_]\w*)="(?<value>(?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * Reads Prometheus' text format 0.0.4 as it is written by hand: HELP, TYPE and then the samples of each family.
 *
 * @throws where a line is none of these, or a sample comes outside its family
 */
export function parseExposition(text: string): ReadonlyMap<string, MetricFamily> {
  const families = new Map<string, MetricFamily & { readonly samples: Sample[] }>();
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("no newline at the end");
  let help = "";
  let current: (MetricFamily & { readonly samples: Sample[] }) | undefined;
  for (const line of lines) {
    const comment = COMMENT.exec(line)?.groups;
    if (comment?.["keyword"] === "HELP") {
      help = comment["text"] ?? "";
    } else if (comment !== undefined) {
      const name = comment["name"] ?? "";
      if (families.has(name)) throw new Error(`a second family ${name}`);
      current = { name, type: comment["text"] ?? "", help, samples: [] };
      families.set(name, current);
    } else {
      current?.samples.push(parseSample(line, current));
    }
  }
  return families;
}

/**
 * The value of the one sample with this name and at least these labels; undefined where there is none.
 *
 * @throws where there are several
 */
export function valueOf(
  families: ReadonlyMap<string, MetricFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const [sample, ...others] = [...families.values()]
    .flatMap((family) => family.samples)
    .filter((candidate) => candidate.name === name && has(candidate, labels));
  if (others.length > 0) throw new Error(`${others.length + 1} samples of ${name} with ${JSON.stringify(labels)}`);
  return sample?.value;
}

function has(sample: Sample, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => sample.labels[name] === value);
}

function parseSample(line: string, family: MetricFamily): Sample {
  const groups = SAMPLE.exec(line)?.groups;
  const { name = "", labels = "", value = "" } = groups ?? {};
  const suffix = name.slice(family.name.length);
  const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (groups === undefined || !name.startsWith(family.name) || !suffixes.includes(suffix)) {
    throw new Error(`no sample of the ${family.type} ${family.name}: ${line}`);
  }
  const number = value === "+Inf" ? Infinity : Number(value);
  if (Number.isNaN(number)) throw new Error(`no number: ${line}`);
  return { name, labels: parseLabels(labels), value: number };
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const match = LABEL.exec(rest);
    if (match === null) throw new Error(`no label: ${rest}`);
    const value = match.groups?.["value"] ?? "";
    labels[match.groups?.["name"] ?? ""] = value.replace(/\\(.)/g, (_, escaped: string) =>
      escaped === "n" ? "\n" : escaped,
    );
    rest = rest.slice(match[0].length);
  }
  return labels;
}

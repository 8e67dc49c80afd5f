/** A metric family in the Prometheus text format 0.0.4; empty while it has no sample. */
export interface Family {
  render(): string;
}

export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /**
   * Labels of every series of the family, with their values at the scrape. When a value changes, the series continues
   * under the new value, and none remains under the old one.
   */
  readonly sharedLabels?: () => Readonly<Record<string, string>>;
}

/** A counter or gauge: one number per combination of label values. */
export interface Numbers extends Family {
  add(labelValues: readonly string[], amount: number): void;
  set(labelValues: readonly string[], value: number): void;
}

export interface Histogram extends Family {
  observe(labelValues: readonly string[], value: number): void;
}

export const createCounter = (options: FamilyOptions): Numbers => createNumbers("counter", options);
export const createGauge = (options: FamilyOptions): Numbers => createNumbers("gauge", options);

/** A counter without labels, with its value. */
export function counterOf(name: string, help: string, value: number): Family {
  return { render: () => renderFamily("counter", { name, help }, `${name} ${value}\n`) };
}

/** A gauge without labels, with its value. */
export function gaugeOf(name: string, help: string, value: number): Family {
  return { render: () => renderFamily("gauge", { name, help }, `${name} ${value}\n`) };
}

/** @param bounds the upper bounds of the buckets, ascending, without +Inf */
export function createHistogram(options: FamilyOptions, bounds: readonly number[]): Histogram {
  const series = createSeries(() => ({ sum: 0, counts: [...bounds, Infinity].map(() => 0) }));
  return {
    observe: (labelValues, value) => {
      const sample = series.of(labelValues);
      let bucket = 0;
      while (value > (bounds[bucket] ?? Infinity)) bucket += 1;
      sample.sum += value;
      sample.counts[bucket] = (sample.counts[bucket] ?? 0) + 1;
    },
    render: () =>
      series.render("histogram", options, (labels, sample) => renderHistogram(options.name, labels, bounds, sample)),
  };
}

function createNumbers(type: "counter" | "gauge", options: FamilyOptions): Numbers {
  const series = createSeries(() => ({ value: 0 }));
  return {
    add: (labelValues, amount) => {
      series.of(labelValues).value += amount;
    },
    set: (labelValues, value) => {
      series.of(labelValues).value = value;
    },
    render: () => series.render(type, options, (labels, { value }) => `${options.name}${braced(labels)} ${value}\n`),
  };
}

/**
 * The samples of one family by label values. Labels are rendered at a scrape alone, because probes are more frequent.
 */
function createSeries<Sample>(create: () => Sample) {
  const all = new Map<string, { readonly labelValues: readonly string[]; readonly sample: Sample }>();
  return {
    of: (labelValues: readonly string[]): Sample => {
      const key = labelValues.join("\0");
      const found = all.get(key);
      if (found !== undefined) return found.sample;
      const sample = create();
      all.set(key, { labelValues, sample });
      return sample;
    },
    render: (type: string, options: FamilyOptions, renderOne: (labels: string, sample: Sample) => string): string => {
      const { labels = [], sharedLabels } = options;
      const shared = Object.entries(sharedLabels?.() ?? {}).map(([label, value]) => renderLabel(label, value));
      const samples = all.values().map(({ labelValues, sample }) => {
        const own = labels.map((label, index) => renderLabel(label, labelValues[index] ?? ""));
        return renderOne([...shared, ...own].join(","), sample);
      });
      return renderFamily(type, options, samples.toArray().join(""));
    },
  };
}

function renderFamily(type: string, { name, help }: FamilyOptions, samples: string): string {
  if (samples === "") return "";
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n${samples}`;
}

function renderHistogram(
  name: string,
  key: string,
  bounds: readonly number[],
  one: { readonly sum: number; readonly counts: readonly number[] },
): string {
  const comma = key === "" ? "" : ",";
  let total = 0;
  const buckets = one.counts.map((count, index) => {
    total += count;
    return `${name}_bucket{${key}${comma}le="${bounds[index] ?? "+Inf"}"} ${total}\n`;
  });
  return `${buckets.join("")}${name}_sum${braced(key)} ${one.sum}\n${name}_count${braced(key)} ${total}\n`;
}

function renderLabel(name: string, value: string): string {
  return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function braced(key: string): string {
  return key === "" ? "" : `{${key}}`;
}

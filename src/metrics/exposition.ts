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
  const { name, labels = [] } = options;
  const series = new Map<string, { sum: number; readonly counts: number[] }>();
  return {
    observe: (labelValues, value) => {
      const key = renderLabels(labels, labelValues);
      const one = series.get(key) ?? { sum: 0, counts: [...bounds, Infinity].map(() => 0) };
      series.set(key, one);
      one.sum += value;
      const first = bounds.findIndex((bound) => value <= bound);
      const bucket = first === -1 ? bounds.length : first;
      one.counts[bucket] = (one.counts[bucket] ?? 0) + 1;
    },
    render: () =>
      renderFamily(
        "histogram",
        options,
        [...series].map(([key, one]) => renderHistogram(name, withShared(options, key), bounds, one)).join(""),
      ),
  };
}

function createNumbers(type: "counter" | "gauge", options: FamilyOptions): Numbers {
  const { name, labels = [] } = options;
  const series = new Map<string, number>();
  return {
    add: (labelValues, amount) => {
      const key = renderLabels(labels, labelValues);
      series.set(key, (series.get(key) ?? 0) + amount);
    },
    set: (labelValues, value) => {
      series.set(renderLabels(labels, labelValues), value);
    },
    render: () =>
      renderFamily(
        type,
        options,
        [...series].map(([key, value]) => `${name}${braced(withShared(options, key))} ${value}\n`).join(""),
      ),
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

function renderLabels(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => renderLabel(name, values[index] ?? "")).join(",");
}

function withShared({ sharedLabels }: FamilyOptions, key: string): string {
  const shared = Object.entries(sharedLabels?.() ?? {}).map(([name, value]) => renderLabel(name, value));
  return [...shared, key].filter((labels) => labels !== "").join(",");
}

function renderLabel(name: string, value: string): string {
  return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function braced(key: string): string {
  return key === "" ? "" : `{${key}}`;
}

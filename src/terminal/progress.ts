/** A line that is rewritten in place; dispose of it to erase it. */
export interface ProgressLine extends Disposable {
  /** Shows this, in place of what is there. */
  readonly show: (line: string) => void;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** The width of the terminal that is written to; undefined where it is none, and nothing is written. */
  readonly columns: number | undefined;
}

/** Begins a progress line of printable ASCII. It takes no escape sequence, so that a dumb terminal shows it too. */
export function createProgressLine({ write, columns }: ProgressOptions): ProgressLine {
  let shown = "";
  const show = (line: string): void => {
    if (columns === undefined) return;
    // The last column stays free: some terminals go to the next line once it is written, from where nothing leads back.
    const text = line.slice(0, Math.max(0, columns - 1));
    if (text === shown) return;
    // What was longer before is overwritten with spaces.
    const rest = " ".repeat(Math.max(0, shown.length - text.length));
    write(`\r${text}${rest}${text === "" ? "\r" : ""}`);
    shown = text;
  };
  return { show, [Symbol.dispose]: () => show("") };
}

import { decideStyle, type StyleFacts } from "./style";

/** What a progress line needs of the process. */
export interface ProgressEdge {
  readonly writeError: (text: string) => void;
  readonly streamFacts: (stream: "error") => StyleFacts;
  readonly onInterrupt: (undo: () => void) => Disposable;
}

/**
 * Begins a line on standard error, if that is a terminal, which `show` rewrites in place. It is erased when it is
 * disposed of, or by a signal that ends the process. It is printable ASCII and takes no escape sequence, so that a dumb
 * terminal shows it too.
 */
export function startProgress({ writeError, streamFacts, onInterrupt }: ProgressEdge) {
  const { columns } = decideStyle(streamFacts("error"));
  let shown = "";
  const show = (line: string): void => {
    if (columns === undefined) return;
    // The last column stays free: some terminals go to the next line once it is written, from where nothing leads back.
    const text = line.slice(0, Math.max(0, columns - 1));
    if (text === shown) return;
    // What was longer before is overwritten with spaces.
    const rest = " ".repeat(Math.max(0, shown.length - text.length));
    writeError(`\r${text}${rest}${text === "" ? "\r" : ""}`);
    shown = text;
  };
  const interrupt = onInterrupt(() => show(""));
  return {
    show,
    [Symbol.dispose]: () => {
      interrupt[Symbol.dispose]();
      show("");
    },
  };
}

import { Terminal } from "@xterm/headless";
import type { RunningInPty } from "./pty";

/** What a terminal shows of a running command, as xterm.js understands its output. */
export interface TerminalScreen {
  /** The lines of the screen, without empty ones at the end. */
  lines(): Promise<readonly string[]>;
  /** Where the cursor is, from 0. */
  cursor(): Promise<{ readonly x: number; readonly y: number }>;
  /** How many lines have left the screen at the top. */
  scrolled(): Promise<number>;
  resize(columns: number, rows: number): Promise<void>;
}

export function watchScreen(running: RunningInPty, columns: number, rows: number): TerminalScreen {
  const terminal = new Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true });
  let fed = 0;
  const buffer = async () => {
    const output = wholePictures(running.output());
    await new Promise<void>((resolve) => terminal.write(output.slice(fed), resolve));
    fed = output.length;
    return terminal.buffer.active;
  };
  return {
    lines: async () => {
      const shown = await buffer();
      const lines = Array.from({ length: terminal.rows }, (_, row) => shown.getLine(shown.baseY + row));
      return lines
        .map((line) => line?.translateToString(true) ?? "")
        .join("\n")
        .trimEnd()
        .split("\n");
    },
    cursor: async () => {
      const { cursorX: x, cursorY: y } = await buffer();
      return { x, y };
    },
    scrolled: async () => (await buffer()).baseY,
    resize: async (newColumns, newRows) => {
      await buffer();
      terminal.resize(newColumns, newRows);
      running.resize(newColumns, newRows);
    },
  };
}

/**
 * What a terminal shows at once: a picture between the sequences of mode 2026 when it is whole, and no half of a line's
 * end.
 */
function wholePictures(output: string): string {
  const begin = output.lastIndexOf("\u001b[?2026h");
  return begin > output.lastIndexOf("\u001b[?2026l") ? output.slice(0, begin) : output.replace(/\r$/, "");
}

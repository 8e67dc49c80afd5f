/** How text may look where it goes. */
export interface Style {
  /** The terminal's width; undefined where it is no terminal, and nothing is laid out to a width. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** An output stream and its environment, as `decideStyle` asks for them. */
export interface StyleFacts {
  readonly isTerminal: boolean;
  /** As the terminal tells it: 0 or undefined where it does not know, as when it has only just been made. */
  readonly columns: number | undefined;
  readonly env: { readonly NO_COLOR?: string | undefined; readonly TERM?: string | undefined };
}

export interface ScreenFacts extends StyleFacts {
  /** As `columns`. */
  readonly rows: number | undefined;
}

/**
 * Decides once how all output of one stream looks: colours for a terminal that knows them, unless `NO_COLOR` is there
 * and not empty (no-color.org), whatever its value. A terminal without TERM is taken for a dumb one, as git does.
 */
export function decideStyle({ isTerminal, columns, env }: StyleFacts): Style {
  if (!isTerminal) return { columns: undefined, colour: false };
  const { NO_COLOR = "", TERM = "" } = env;
  const known = columns !== undefined && columns > 0;
  return { columns: known ? columns : USUAL_COLUMNS, colour: NO_COLOR === "" && !isDumb(TERM) };
}

/** The height of a terminal in which a screen can be redrawn; undefined elsewhere. */
export function decideRows({ isTerminal, rows, env: { TERM = "" } }: ScreenFacts): number | undefined {
  if (!isTerminal || isDumb(TERM)) return undefined;
  return rows !== undefined && rows > 0 ? rows : USUAL_ROWS;
}

function isDumb(term: string): boolean {
  return term === "" || term === "dumb";
}

const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

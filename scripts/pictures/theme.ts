/** The colours of a picture, those of GitHub's pages. */
export interface Theme {
  readonly name: "light" | "dark";
  readonly background: string;
  readonly text: string;
  readonly faintText: string;
  readonly line: string;
  /** Behind what belongs together. */
  readonly panel: string;
  /** Of what is ours. */
  readonly accent: string;
  /** Of what ours is compared with. */
  readonly neutral: string;
}

export const THEMES: readonly Theme[] = [
  {
    name: "light",
    background: "#ffffff",
    text: "#1f2328",
    faintText: "#59636e",
    line: "#818b98",
    panel: "#f6f8fa",
    accent: "#0969da",
    neutral: "#afb8c1",
  },
  {
    name: "dark",
    background: "#0d1117",
    text: "#f0f6fc",
    faintText: "#9198a1",
    line: "#656c76",
    panel: "#151b23",
    accent: "#4493f7",
    neutral: "#656c76",
  },
];

/** GitHub's own; a reader without these fonts sees the next. */
export const FONT = `-apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif`;

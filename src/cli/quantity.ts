const QUANTITY = /^([-+]?)(\d*)(\.\d*)?(?:([KMGTPE]i)|([numkMGTPE])|([eE][-+]?\d+))?$/;

const BINARY: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const DECIMAL: Readonly<Record<string, string>> = {
  n: "e-9",
  u: "e-6",
  m: "e-3",
  k: "e3",
  M: "e6",
  G: "e9",
  T: "e12",
  P: "e15",
  E: "e18",
};

/**
 * Reads a Kubernetes `resource.Quantity` as a plain number: `512`, `1k`, `2Ki`, `1e3`, `0.5`, `100m`.
 *
 * The grammar is Kubernetes' own, with its oddities: digits may be missing (`k` is 0, `1.G` is 1e9), and kilo is a small k
 * (`1K` is refused). Its rounding to a billionth and its limit of 2^63-1 are left out.
 *
 * @returns undefined where Kubernetes refuses the text, or where the number is beyond a double's range
 */
export function parseQuantity(text: string): number | undefined {
  const match = QUANTITY.exec(text);
  if (match === null || text === "") return undefined;
  const [, sign = "", whole = "", fraction = "", binary = "", decimal = "", exponent = ""] = match;
  // A suffix becomes an exponent in the text: multiplying would make 100m 0.1 only by luck.
  const magnitude = Number(`${whole || "0"}${fraction}${DECIMAL[decimal] ?? exponent}`) * (BINARY[binary] ?? 1);
  if (!Number.isFinite(magnitude)) return undefined;
  return sign === "-" && magnitude !== 0 ? -magnitude : magnitude;
}

import { jsonText } from "../base/text";
import type { LogRecord } from "./record";

/**
 * One record as Kubernetes' JSON log, with its newline: `{"ts":1795341456224,"caller":"prober.ts:1","msg":"...","v":5}`.
 *
 * `ts` is in milliseconds since the epoch; `v` is on info lines only; the values follow, and an error comes
 * last, under `err`. `<`, `>` and `&` are not escaped. The line number is always 1, as in klog's text.
 */
export function formatJson({ severity, timeMs, source, verbosity, message, error, values }: LogRecord): string {
  const fields = {
    ts: timeMs,
    caller: `${source}:1`,
    msg: message,
    ...(severity === "I" ? { v: verbosity } : {}),
    ...values,
    ...(error === undefined ? {} : { err: error }),
  };
  return `${jsonText(fields)}\n`;
}

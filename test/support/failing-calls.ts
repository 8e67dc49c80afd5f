import { join } from "node:path";

/** The whole path, for a process with an empty environment. */
export const PYTHON = Bun.which("python3") ?? "python3";

/** A Python script, whose docstring says how to use it. */
export const FAILING_CALLS = join(import.meta.dirname, "failing-calls.py");

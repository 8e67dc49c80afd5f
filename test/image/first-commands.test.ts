import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { commandsOf, freshClone } from "../support/fresh-clone";
import { startRegistry } from "../support/registry";

const BOUND_MS = 600_000;
// The suite cannot run itself, so `run image:test` is given the name of one test; .ci/run runs it whole.
const ONE_TEST = " -t 'has the loader where the executable asks for it'";

const pages = ["README.md", "CONTRIBUTING.md"].map((page) =>
  readFileSync(join(import.meta.dirname, "../..", page), "utf8"),
);
const commands = [...new Set(pages.flatMap(commandsOf).flatMap((line) => line.split(" && ")))].filter((line) =>
  line.includes(" run image"),
);

test(
  "the pages' commands about the image work one after the other in a fresh clone with an empty HOME",
  async () => {
    await using registry = await startRegistry();
    using clone = await freshClone();
    // The tools stay in the cache: built anew they take ten minutes.
    const env = { XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache") };
    const seen: unknown[] = [];
    for (const line of commands) {
      const completed = line.replace(" IMAGE:", ` ${registry.address}/csi-livenessprobe:`);
      // oxlint-disable-next-line no-await-in-loop -- each builds on the one before it
      const { code, stdout, stderr } = await clone.run(line.endsWith(":test") ? line + ONE_TEST : completed, env);
      seen.push({ line, code, said: code === 0 ? "" : stdout + stderr });
    }
    expect(seen).toEqual(commands.map((line) => ({ line, code: 0, said: "" })));
    expect(commands.map((line) => /run (\S+)/.exec(line)?.[1])).toEqual(["image", "image:test", "image:push"]);
  },
  BOUND_MS,
);

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/**
 * What `build` makes of these inputs, made once for all runs and kept outside the tree.
 * It appears under its name in one step, so a run that is cut short or that runs beside another never leaves half of
 * it.
 *
 * @param inputs all that decides what comes out, beside this machine's platform
 * @param name of the file or folder that `build` makes at the path it is given
 * @returns its path
 */
export async function cached(
  inputs: readonly string[],
  name: string,
  build: (path: string) => Promise<unknown>,
): Promise<string> {
  const final = cachePath(inputs, name);
  if (existsSync(final)) return final;

  mkdirSync(dirname(final), { recursive: true });
  const temporary = mkdtempSync(join(dirname(final), ".building-"));
  try {
    await build(join(temporary, name));
    renameSync(join(temporary, name), final);
  } catch (error) {
    // Another run may have come first: a folder is not renamed onto a folder.
    if (!existsSync(final)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return final;
}

/** Where `cached` puts it, or has put it. */
export function cachePath(inputs: readonly string[], name: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([process.platform, process.arch, ...inputs]))
    .digest("hex");
  return join(cacheRoot(), hash.slice(0, 16), name);
}

function cacheRoot(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "csi-livenessprobe");
}

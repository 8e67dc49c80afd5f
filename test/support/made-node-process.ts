import { chmodSync, cpSync } from "node:fs";
import { join } from "node:path";
import { NOBODY_UID } from "./socket-cases";
import { temporaryDirectory } from "./temporary";

const ROOT = join(import.meta.dir, "../..");

/**
 * What a script writes to standard output as another uid, without capabilities: there is no way to become one and come back.
 * It imports from `./src/`.
 */
export async function asNobody(script: string): Promise<string> {
  using directory = temporaryDirectory();
  // Its own copies, because a checkout may lie where that uid cannot go.
  cpSync(join(ROOT, "src"), join(directory.path, "src"), { recursive: true });
  const bun = join(directory.path, "bun");
  await Bun.write(bun, Bun.file(process.execPath));
  chmodSync(bun, 0o755);
  await Bun.write(join(directory.path, "script.ts"), script);
  const child = Bun.spawn([bun, "script.ts"], { cwd: directory.path, env: {}, uid: NOBODY_UID, gid: NOBODY_UID });
  return await child.stdout.text();
}

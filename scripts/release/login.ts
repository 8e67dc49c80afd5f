import { runCommand } from "../command";
import { tool } from "../tools/tool";

/**
 * Logs crane and cosign in to the registry of `IMAGE_REPOSITORY` as `REGISTRY_USER` with `REGISTRY_TOKEN`. Variables and
 * not flags: a command line is for everyone on the machine to read.
 */
async function login(): Promise<void> {
  const [host = ""] = read("IMAGE_REPOSITORY").split("/");
  const { command, env } = await tool("crane");
  const child = Bun.spawn(
    [...command, "auth", "login", host, "--username", read("REGISTRY_USER"), "--password-stdin"],
    {
      env: { ...process.env, ...env },
      stdin: new Blob([read("REGISTRY_TOKEN")]),
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const [code, said] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0) throw new Error(`${host} does not let us in: ${said.trim()}`);
}

function read(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see docs/releasing.md, "Setting up the repository"`);
  return value;
}

await runCommand({
  name: "bun run image:login",
  about: `Logs crane and cosign in to the registry of IMAGE_REPOSITORY as REGISTRY_USER with REGISTRY_TOKEN. These are variables
    of the environment, since everyone on a machine can read a command line.`,
  flags: {},
  run: login,
});

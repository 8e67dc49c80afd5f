import { runCommand } from "../command";
import { tool } from "../tools/tool";

/**
 * Logs crane and cosign in to the registry of `IMAGE_REPOSITORY` as `REGISTRY_USER` with `REGISTRY_TOKEN`. They are not
 * flags, because everyone on the machine can read a command line.
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
  if (code !== 0) throw new Error(`${host} refuses the login: ${said.trim()}`);
}

function read(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see docs/releasing.md, "Setting up the repository"`);
  return value;
}

await runCommand({
  name: "bun run image:login",
  about: `Logs crane and cosign in to the registry of IMAGE_REPOSITORY as REGISTRY_USER with REGISTRY_TOKEN. These are
    variables of the environment, since everyone on a machine can read a command line.`,
  flags: {},
  run: login,
});

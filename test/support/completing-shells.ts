import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { needPrograms } from "../../scripts/tools/debian";
import { temporaryDirectory } from "../../scripts/temporary";
import { EXECUTABLE } from "./executable";
import { startInPty } from "./pty";
import { runToEnd } from "./run-to-end";
import { waitUntil } from "./wait";

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** The shells that are here, in a line those that are not. With CI=true they are installed first. */
export async function findShells(): Promise<readonly Shell[]> {
  if (process.env["CI"] === "true") await needPrograms({ bash: "bash", zsh: "zsh", fish: "fish" });
  const missing = SHELLS.filter((shell) => Bun.which(shell) === null);
  if (missing.length > 0) console.warn(`The tests in ${missing.join(" and ")} are skipped: install Debian's packages.`);
  return SHELLS.filter((shell) => !missing.includes(shell));
}

const PROMPT = "READY> ";
/** Inserts every completion, quoted by the shell. */
const INSERT_ALL = "\u0018a";
/** Writes the line down, followed by a NUL. */
const WRITE_DOWN = "\u0018d";
const CLEAR = "\u0018k";

const START_FILES = {
  bash: `PS1='${PROMPT}'
bind '"\\C-xa": insert-completions'
bind '"\\C-xk": kill-whole-line'
bind -x '"\\C-xd": printf "%s\\0" "$READLINE_LINE" >> "$WRITTEN"'
source <(livenessprobe completion bash)
`,
  zsh: `PS1='${PROMPT}'
autoload -U compinit; compinit -u -D
zstyle ':completion:all:*' completer _all_matches _complete
zstyle ':completion:all:*' insert true
zle -C all complete-word _generic; bindkey '^Xa' all
bindkey '^Xk' kill-whole-line
write-down() { print -rN -- "$BUFFER" >> $WRITTEN }; zle -N write-down; bindkey '^Xd' write-down
source <(livenessprobe completion zsh)
`,
};

/**
 * Completes each line in a real shell that has loaded the script, each by its own means: bash and zsh in a terminal,
 * fish by `complete -C`.
 *
 * @param run whether the lines are executed with their completions
 * @returns for each line the words that the shell inserts, quoted by it, without the `--flag=` and `/` that some add
 */
export async function completeIn(
  shell: Shell,
  lines: readonly string[],
  options: { readonly cwd: string; readonly run?: boolean },
): Promise<readonly (readonly string[])[]> {
  const completed = shell === "fish" ? await byFish(lines, options) : await byTyping(shell, lines, options);
  return completed.map((words) => words.map((word) => word.replace(/^-[^=]*=|\/$/g, "")).toSorted());
}

async function byTyping(
  shell: "bash" | "zsh",
  lines: readonly string[],
  { cwd, run = false }: { readonly cwd: string; readonly run?: boolean },
): Promise<readonly (readonly string[])[]> {
  using directory = temporaryDirectory();
  const written = join(directory.path, "written");
  const startFile = join(directory.path, ".zshrc");
  writeFileSync(written, "");
  writeFileSync(startFile, START_FILES[shell]);
  const command = { bash: ["bash", "--noprofile", "--rcfile", startFile, "-i"], zsh: ["zsh", "-d", "-i"] }[shell];
  const env = {
    PATH: `${dirname(EXECUTABLE)}:${process.env["PATH"] ?? ""}`,
    HOME: directory.path,
    ZDOTDIR: directory.path,
    WRITTEN: written,
    TERM: "xterm",
  };
  const terminal = startInPty(command, { columns: 200, rows: 50, env, cwd });
  const seen = () => readFileSync(written, "utf8").split("\0").slice(0, -1);
  const results: (readonly string[])[] = [];
  await waitUntil(
    () => terminal.output().includes(PROMPT),
    () => `a prompt of ${shell}: ${terminal.output()}`,
  );
  for (const line of lines) {
    const before = seen().length;
    terminal.type(`${line}${INSERT_ALL}${WRITE_DOWN}${run ? "\r" : CLEAR}`);
    // oxlint-disable-next-line no-await-in-loop -- one line after the other
    const after = await waitUntil(
      () => seen()[before],
      () => `${shell} to complete ${line}: ${terminal.output()}`,
    );
    const start = line.lastIndexOf(" ") + 1;
    const words = after.slice(start).split(/(?<!\\) /);
    results.push(after === line ? [] : words.filter((word) => word !== ""));
  }
  terminal.type("exit\r");
  await terminal.ended;
  return results;
}

async function byFish(
  lines: readonly string[],
  { cwd, run = false }: { readonly cwd: string; readonly run?: boolean },
): Promise<readonly (readonly string[])[]> {
  const script = `
livenessprobe completion fish | source
for line in $argv
  printf 'line\\n'
  set -l found (complete --escape -C $line | string replace -r '\\t.*' '')
  printf ' %s\\n' $found
  ${run ? 'eval "livenessprobe inspect $found" >/dev/null 2>&1' : ""}
end`;
  const env = { PATH: `${dirname(EXECUTABLE)}:${process.env["PATH"] ?? ""}` };
  const { stdout, stderr } = await runToEnd(["fish", "--no-config", "--command", script, ...lines], env, cwd);
  if (stderr !== "") throw new Error(`fish: ${stderr}`);
  return stdout
    .split("line\n")
    .slice(1)
    .map((words) => words.split("\n").flatMap((word) => word.trimStart() || []));
}

import { type CommandOf, type Commands, type ProcessContext, UsageError } from "../cli/command";
import { quote } from "../base/text";
import { type Candidate, completeLine, type Completion, startingWith } from "../cli/completion";
import { COMPLETION_SCRIPTS } from "../cli/completion-scripts";
import { GENERAL_FLAGS } from "../cli/flags";
import { driverNames, openNode } from "../inspection/node-view";

const SHELLS = ["bash", "zsh", "fish"] as const;

const COMPLETION_ARGS = {
  shell: { type: "positional", valueHint: "bash|zsh|fish", required: true, description: "the shell" },
  line: {
    type: "positional",
    valueHint: "[LINE]",
    required: false,
    description: "a command line up to the cursor: print what may follow there, as the script asks for it",
  },
  ...GENERAL_FLAGS,
} as const;

/** `livenessprobe completion SHELL`: what a shell runs to complete our command lines. */
export function defineCompletion(context: ProcessContext, commands: Commands): CommandOf<typeof COMPLETION_ARGS> {
  return {
    meta: {
      name: "completion",
      description: "Print the script with which a shell completes commands of livenessprobe.",
    },
    args: COMPLETION_ARGS,
    notes: [
      "Turn it on in this shell, and in its start file for the next ones:",
      "  bash  source <(livenessprobe completion bash)",
      "  zsh   source <(livenessprobe completion zsh), after compinit",
      "  fish  livenessprobe completion fish | source",
      "",
      "Drivers are found in the kubelet's directories, and none is asked.",
    ],
    run: async ({ args: { shell, line } }) => {
      const known = SHELLS.find((each) => each === shell);
      if (known === undefined) throw new UsageError(`completion is for bash, zsh and fish, got ${quote(shell)}`);
      context.writeOut(line === undefined ? COMPLETION_SCRIPTS[known] : await answer(line, commands));
      return 0;
    },
  };
}

async function answer(line: string, commands: Commands): Promise<string> {
  const completion = await completeLine(line, commands);
  switch (completion.kind) {
    case "files":
    case "directories":
      return `${completion.kind}\n`;
    case "words":
      return renderWords(completion.words);
    case "drivers":
      return renderWords(await findDrivers(completion));
  }
  return completion satisfies never;
}

type Drivers = Extract<Completion, { readonly kind: "drivers" }>;

async function findDrivers({ typed, rootDir = "/", kubeletDirs }: Drivers): Promise<readonly Candidate[]> {
  const names = driverNames(await openNode({ rootDir, kubeletDirs }));
  return startingWith(
    typed,
    names.map((word) => ({ word, about: "" })),
  );
}

function renderWords(words: readonly Candidate[]): string {
  return ["words", ...words.map(({ word, about }) => `${word} ${about}`.trim())].map((line) => `${line}\n`).join("");
}

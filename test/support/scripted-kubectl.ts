import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/temporary";

/** What is asked of kubectl: `get pods` lists, `get pod` reads one. */
export type KubectlCall = "get-pods" | "get-pod" | "get-nodes" | "get-events" | "debug" | "exec" | "delete";

/** What kubectl does, as lines of sh, in which `$*` is its words. What is missing succeeds in silence. */
export type KubectlScript = Partial<Readonly<Record<KubectlCall, string>>>;

/** A program `kubectl` that asks no cluster. */
export interface ScriptedKubectl extends Disposable {
  /** With it in PATH, and a directory of its own for temporary files. */
  readonly env: Readonly<Record<string, string>>;
  /** For temporary files. */
  readonly directory: string;
  /** The words of each call so far, in a line. */
  calls(): readonly string[];
  /** Those of the calls of one kind. */
  callsOf(call: KubectlCall): readonly string[];
}

/** The kind is the first word that is no flag; with `get` the next one too. */
const PROGRAM = `#!/bin/sh
printf '%s\\n' "$(printf '%s ' "$@")" >>"$SCRIPT/calls"
kind=
for word; do
  case $kind$word in
  -*) ;;
  get) kind=get- ;;
  *) kind=$kind$word && break ;;
  esac
done
if [ -e "$SCRIPT/$kind" ]; then . "$SCRIPT/$kind"; fi
`;

export function scriptKubectl(script: KubectlScript): ScriptedKubectl {
  const place = temporaryDirectory();
  const at = (name: string) => join(place.path, name);
  writeFileSync(at("kubectl"), PROGRAM);
  chmodSync(at("kubectl"), 0o755);
  for (const [call, text] of Object.entries(script)) writeFileSync(at(call), text);
  const calls = () =>
    existsSync(at("calls"))
      ? readFileSync(at("calls"), "utf8")
          .split("\n")
          .map((line) => line.trim())
          .filter(Boolean)
      : [];
  return {
    env: { PATH: `${place.path}:${process.env["PATH"]}`, SCRIPT: place.path, TMPDIR: place.path },
    directory: place.path,
    calls,
    callsOf: (call) => calls().filter((line) => ` ${line} `.includes(` ${call.replace("-", " ")} `)),
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

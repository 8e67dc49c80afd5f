import { join } from "node:path";
import { buildGoProgram } from "../test/support/driver-builds";
import { readLines } from "../test/support/lines";

/** fuzz/oracle in a process of its own, for one kind of question. */
export interface GoOracle<Input, Answer> extends AsyncDisposable {
  ask(inputs: readonly Input[]): Promise<readonly Answer[]>;
}

/** The time zone in which both sides print a log's time: half an hour of summer time, and east of Greenwich. */
export const ORACLE_TIME_ZONE = "Australia/Lord_Howe";

/**
 * Starts the oracle, built where need be. Which answers it gives to a kind of question, main.go says.
 *
 * @throws where there is no Go, or it cannot build it
 */
export async function startGoOracle<Input, Answer>(kind: string): Promise<GoOracle<Input, Answer>> {
  const built = await buildGoProgram(join(import.meta.dir, "oracle"), "fuzz-oracle", [], {
    // Ports by Go's own resolver, not by the C library.
    CGO_ENABLED: "0",
  });
  if (built.kind === "missing") throw new Error(`the oracle in Go cannot be built: ${built.why}`);

  const env = { ...process.env, GOMAXPROCS: "1", TZ: ORACLE_TIME_ZONE };
  const child = Bun.spawn([...built.program.command, kind], { env, stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const waiting: PromiseWithResolvers<readonly Answer[]>[] = [];
  const listen = async (): Promise<void> => {
    await readLines(child.stdout, (line) => {
      // Each line is what main.go makes for this kind of question.
      waiting.shift()?.resolve(JSON.parse(line) as readonly Answer[]);
    });
    for (const { reject } of waiting) reject(new Error(`the oracle of ${kind} ended without an answer`));
  };
  const ended = listen();
  return {
    ask: async (inputs) => {
      const asked = Promise.withResolvers<readonly Answer[]>();
      waiting.push(asked);
      child.stdin.write(`${JSON.stringify(inputs)}\n`);
      await child.stdin.flush();
      return asked.promise;
    },
    [Symbol.asyncDispose]: async () => {
      await child.stdin.end();
      await ended;
    },
  };
}

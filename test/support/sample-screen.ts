import { renderNodeTable } from "../../src/terminal/list-table";
import { startProgress } from "../../src/terminal/progress";
import { decideStyle, type StyleFacts } from "../../src/terminal/style";
import { NODE_REPORT } from "./sample-reports";

// A command as it will be: a progress line on standard error, then the table on standard output, each as its stream
// takes it.
const { stdout, stderr, env } = process;
const factsOf = ({ isTTY, columns }: NodeJS.WriteStream): StyleFacts => ({
  isTerminal: isTTY === true,
  columns,
  env: { NO_COLOR: env["NO_COLOR"], TERM: env["TERM"] },
});

{
  using line = startProgress({
    writeError: (text) => void stderr.write(text),
    streamFacts: () => factsOf(stderr),
    onInterrupt: () => ({ [Symbol.dispose]: () => {} }),
  });
  for (const asked of [1, 2, 3]) line.show(`asked ${asked} of 3 drivers ...`);
}
stdout.write(renderNodeTable(NODE_REPORT, { ...decideStyle(factsOf(stdout)), wide: false }));

import { renderNodeTable } from "../../src/terminal/list-table";
import { createProgressLine } from "../../src/terminal/progress";
import { decideStyle } from "../../src/terminal/style";
import { NODE_REPORT } from "./sample-reports";

// A command as it will be: a progress line on standard error, then the table on standard output, each as its stream takes it.
const { stdout, stderr, env } = process;
const styleOf = ({ isTTY, columns }: NodeJS.WriteStream) =>
  decideStyle({ isTerminal: isTTY === true, columns, env: { NO_COLOR: env["NO_COLOR"], TERM: env["TERM"] } });

{
  using line = createProgressLine({ write: (text) => void stderr.write(text), columns: styleOf(stderr).columns });
  for (const asked of [1, 2, 3]) line.show(`asked ${asked} of 3 drivers ...`);
}
stdout.write(renderNodeTable(NODE_REPORT, { ...styleOf(stdout), wide: false }));

import { KUBECONFIG, startNode } from "./node";
import { nodePrograms } from "./programs";

/** Starts a node, says what it is in a line, and holds it until this process ends. */
const { directory, cgroup, pid } = await startNode();
console.log(JSON.stringify({ directory, cgroup, pid }));
const { path } = await nodePrograms();
const variables = `KUBECONFIG=${KUBECONFIG} PATH=${path.join(":")}:$PATH`;
console.error(`A shell on the node: nsenter --target=${pid} --mount --net --pid env ${variables} bash`);
await new Promise(() => setInterval(() => {}, 60_000));

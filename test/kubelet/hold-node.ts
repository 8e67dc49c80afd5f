import { startNode } from "./node";

/** Starts a node, says what it is in a line, and holds it until this process ends. */
const { directory, cgroup, pid } = await startNode();
console.log(JSON.stringify({ directory, cgroup, pid }));
await new Promise(() => setInterval(() => {}, 60_000));

// The floor that the idle sidecar is held to: a program that is nothing but `Bun.serve`.
const port = process.argv.map((word) => /^--http-endpoint=127\.0\.0\.1:(\d+)$/.exec(word)?.[1]).find(Boolean);
if (port === undefined) throw new Error("--http-endpoint=127.0.0.1:PORT is missing");

Bun.serve({ hostname: "127.0.0.1", port: Number(port), fetch: () => new Response("ok") });

/** The port in `--http-endpoint=127.0.0.1:PORT`, which the bench passes to every program. */
export function endpointPort(): number {
  const port = process.argv.map((word) => /^--http-endpoint=127\.0\.0\.1:(\d+)$/.exec(word)?.[1]).find(Boolean);
  if (port === undefined) throw new Error("--http-endpoint=127.0.0.1:PORT is missing");
  return Number(port);
}

/**
 * Hands each line of a stream to `onLine`, without its newline, until the stream ends or there is `enough`.
 * What comes after that is left unread: a pipe fills up and its writer blocks, as behind a log collector that is stuck.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
  enough: () => boolean = () => false,
): Promise<void> {
  const decoder = new TextDecoder();
  // A reader, since leaving a `for await` would cancel the stream, which closes the pipe.
  const reader = stream.getReader();
  let rest = "";
  while (!enough()) {
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}

import { type Bench, type Reading, figuresOf, takeTurns } from "./bench";
import type { Program } from "./programs";
import type { Section } from "./table";

const NAMES = [
  { key: "plain", name: "executable", unit: "MiB", digits: 1 },
  { key: "gzip", name: "executable, gzip", unit: "MiB", digits: 1 },
  { key: "zstd", name: "executable, zstd", unit: "MiB", digits: 1 },
] as const;

type Key = (typeof NAMES)[number]["key"];

// The levels that image builders take unless they are told another.
const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 3;

/** Measures what there is to download and to keep. */
export async function measureSize(bench: Bench): Promise<Section> {
  return { title: "size", figures: figuresOf(NAMES, await takeTurns(bench, 1, sizesOf, true)), notes: [] };
}

async function sizesOf({ path }: Program): Promise<Reading<Key>> {
  const bytes = await Bun.file(path).bytes();
  const [gzip, zstd] = [
    Bun.gzipSync(bytes, { level: GZIP_LEVEL }),
    await Bun.zstdCompress(bytes, { level: ZSTD_LEVEL }),
  ];
  return { plain: mib(bytes.length), gzip: mib(gzip.length), zstd: mib(zstd.length) };
}

function mib(bytes: number): number {
  return bytes / 2 ** 20;
}

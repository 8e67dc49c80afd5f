import { run } from "../../scripts/run";
import { needPrograms } from "../../scripts/tools/debian";

/** What an executable or a library asks of the machine it is to run on. */
export interface Elf {
  /** In readelf's words: `Advanced Micro Devices X86-64`, `AArch64`. */
  readonly machine: string;
  /** The loader's path; undefined for a library, and for what is linked statically. */
  readonly interpreter?: string;
  /** The libraries it names itself, such as `libc.so.6`. */
  readonly needed: readonly string[];
}

export function isElf(content: Uint8Array): boolean {
  return Buffer.from(content.subarray(0, 4)).toString("latin1") === "\x7fELF";
}

/**
 * Reads a file with readelf, whatever machine it is for.
 *
 * @throws where it is no ELF file, or there is no readelf and it cannot be installed
 */
export async function readElf(path: string): Promise<Elf> {
  await needPrograms({ readelf: "binutils" });
  const printed = await run(["readelf", "--wide", "--file-header", "--program-headers", "--dynamic", path]);
  const machine = /^ *Machine: +(.+)$/m.exec(printed)?.[1] ?? "";
  const interpreter = /\[Requesting program interpreter: ([^\]]+)\]/.exec(printed)?.[1];
  const needed = [...printed.matchAll(/\(NEEDED\) +Shared library: \[([^\]]+)\]/g)].map(([, name = ""]) => name);
  return { machine, needed, ...(interpreter === undefined ? {} : { interpreter }) };
}

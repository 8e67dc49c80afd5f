import { $ } from "bun";

$.cwd(`${import.meta.dir}/..`);

/**
 * The commit that is built, with `-dirty` behind it where the files are not all as the commit has them. Where there is
 * no git, as in a container's build stage, `BUILD_COMMIT` says it; without either it is `unknown`.
 */
export async function readCommit(): Promise<string> {
  const given = process.env["BUILD_COMMIT"];
  if (given) return given;
  const commit = (await $`git rev-parse HEAD`.quiet().nothrow().text()).trim();
  if (commit === "") return "unknown";
  const changes = await $`git status --porcelain`.quiet().nothrow().text();
  return changes === "" ? commit : `${commit}-dirty`;
}

/**
 * When the commit was made, in seconds since 1970: the time that everything built from it bears. `SOURCE_DATE_EPOCH`
 * says another (reproducible-builds.org); it is 0 without git.
 *
 * @throws where SOURCE_DATE_EPOCH is no whole number
 */
export async function readSourceDateEpoch(): Promise<number> {
  const given = process.env["SOURCE_DATE_EPOCH"];
  const text = given || (await $`git log -1 --format=%ct`.quiet().nothrow().text()).trim() || "0";
  if (!/^\d+$/.test(text)) throw new Error(`SOURCE_DATE_EPOCH must be whole seconds since 1970, got ${text}`);
  return Number(text);
}

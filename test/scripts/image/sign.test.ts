import { expect, test } from "bun:test";
import { revisionFault } from "../../../scripts/image/sign";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OTHER = COMMIT.replace("0", "f");
const KEY = { kind: "key", path: "a.key" } as const;
const WORKFLOW = { kind: "workflow" } as const;

test("where this tree has changes that the image has not, git shows them", () => {
  expect(revisionFault(COMMIT, `${COMMIT}-dirty`, KEY)).toBe(
    `The image was built from ${COMMIT}, and this tree is ${COMMIT}-dirty: git status shows what changed since`,
  );
});

test.each([
  ["a key, for an image of this tree", COMMIT, COMMIT, KEY, true],
  ["a key, for an image of this tree with its changes", `${COMMIT}-dirty`, `${COMMIT}-dirty`, KEY, true],
  ["no key, for an image that was built with changes", `${COMMIT}-dirty`, COMMIT, KEY, false],
  ["a workflow, for an image that another job built with a newer lock", `${COMMIT}-dirty`, COMMIT, WORKFLOW, true],
  ["no workflow, for an image of another commit", `${OTHER}-dirty`, COMMIT, WORKFLOW, false],
  ["no key, for an image of another commit", OTHER, COMMIT, KEY, false],
])("what signs is %s", (_, revision, commit, signer, signs) => {
  const fault = `The image was built from ${revision}, and this tree is ${commit}: build it again with bun run image`;
  expect(revisionFault(revision, commit, signer)).toBe(signs ? undefined : fault);
});

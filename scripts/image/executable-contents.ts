import { bunComponent } from "./bun-parts";
import { bundledComponents } from "./bundled";
import type { Component } from "./component";
import type { DebianArchitecture } from "./lock";

/** What the executable for this architecture is made of: Bun, with what Bun is made of, and the packages of our bundle. */
export async function executableContents(architecture: DebianArchitecture): Promise<readonly Component[]> {
  return [bunComponent(architecture), ...(await bundledComponents())];
}

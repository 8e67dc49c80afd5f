import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What `apko.yaml` says of the image, as far as something else needs it too. */
export interface Definition {
  readonly environment: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function readDefinition(): Definition {
  const yaml: unknown = Bun.YAML.parse(readFileSync(join(import.meta.dirname, "../../apko.yaml"), "utf8"));
  // Ours alone, and apko has checked it.
  return yaml as Definition;
}

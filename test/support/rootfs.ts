import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OciImage } from "../../scripts/image/oci/layout";

/**
 * Writes an image's files, directories and links below a directory, with their modes; all else, such as devices, is
 * left out.
 */
export function writeRootfs(image: OciImage, directory: string): void {
  for (const [path, file] of image.files()) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    switch (file.type) {
      case "file":
        writeFileSync(target, file.content, { mode: file.mode });
        break;
      case "directory":
        mkdirSync(target, { recursive: true });
        break;
      case "symlink":
        symlinkSync(file.target, target);
        break;
      case "special":
        break;
    }
  }
}

/** Where an image is, in a registry: `registry.example:5000/team/name:0.1.0@sha256:...`. */
export interface ImageReference {
  /** `registry.example:5000/team/name` */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

const REFERENCE = /^(?<repository>[^@]+?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/**
 * Reads an image's reference as https://github.com/distribution/reference defines it, without its short forms: the host
 * must be named, so that nothing is pushed to a registry that a tool assumes.
 *
 * @throws where it is not a reference
 */
export function readReference(text: string): ImageReference {
  const { repository, tag, digest } = REFERENCE.exec(text)?.groups ?? {};
  if (repository === undefined || !/^[^/]*[.:][^/]*\/[a-z0-9][a-z0-9._/-]*$/.test(repository))
    throw new Error(
      `${text} is no image's reference: write HOST/NAME:TAG, such as registry.example/livenessprobe:0.1.0`,
    );
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

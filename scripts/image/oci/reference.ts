/** An image in a registry: `registry.example:5000/team/name:0.1.0@sha256:...`. */
export interface ImageReference {
  /** `registry.example:5000/team/name` */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

const REFERENCE = /^(?<repository>[^@]+?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/**
 * Reads a reference (https://github.com/distribution/reference). It must name the host, so that nothing is pushed to a
 * default registry.
 *
 * @throws where it is not a reference
 */
export function readReference(text: string): ImageReference {
  const { repository, tag, digest } = REFERENCE.exec(text)?.groups ?? {};
  if (repository === undefined || !/^[^/]*[.:][^/]*\/[a-z0-9][a-z0-9._/-]*$/.test(repository))
    throw new Error(
      `${text} is not a reference of an image: write HOST/NAME:TAG, such as registry.example/livenessprobe:0.1.0`,
    );
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

import * as fc from "fast-check";

/** Any text that a Go string and a command line can hold as UTF-8. */
export const anyText = fc.string({ unit: "binary", maxLength: 30 });

/** Text put together from the words of a grammar, of which a few are likely to be in the wrong place. */
export function words(tokens: readonly string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...tokens), { maxLength }).map((parts) => parts.join(""));
}

/** The same text with one stretch of it replaced by another text, which may be empty. */
export function mangled(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.nat(100), fc.nat(3), fc.string({ unit: "binary", maxLength: 2 }))
    .map(([whole, at, length, piece]) => {
      // By code points: half a surrogate pair is no text.
      const characters = [...whole];
      characters.splice(at % (characters.length + 1), length, piece);
      return characters.join("");
    });
}

/** A text of a grammar, often as it is, sometimes broken, now and then any text at all. */
export function nearly(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 3, arbitrary: mangled(text) },
    { weight: 1, arbitrary: anyText },
  );
}

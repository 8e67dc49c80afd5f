import * as fc from "fast-check";
import { redactText } from "../../src/report/redact-text";
import { anyText, words } from "../arbitraries";
import { AGREES, createTarget } from "../target";

/** Ways in which a secret is written, with § in its place: those in which it may have any punctuation, and the others. */
const WITH_PUNCTUATION = [
  "password=§",
  'password="§"',
  "password: §",
  "--password §",
  "adminPassword='§'",
  '{"token":"§"}',
  '{\\"clientSecret\\": \\"§\\"}',
  "AWS_SECRET_ACCESS_KEY=§",
  "https://user:§@host/path",
  "rbd -u admin:§",
  "secretKey => §",
  "-o username=u,password=§",
  "token := §",
  "password is §",
  "{'passphrase': '§'}",
  "--token=§ --node=n",
  "map[secret:§]",
  'accessKey:"§"',
  "PGPASSWORD=§",
  "password%3D§",
  "&{Password:§}",
  'secrets:<key:"a" value:"§" >',
  'secrets:{key:"a}" value:"§"}',
  '{"key":"password","value":"§"}',
  "iscsiadm --name node.session.auth.password --value §",
  '["--password" "§"]',
  "bindpw=§",
];
const PLAIN = [
  "Authorization: Bearer §",
  "authorization=Basic §=",
  "Cookie: session=§",
  "-----BEGIN RSA PRIVATE KEY-----\n§\n-----END RSA PRIVATE KEY-----",
  "ghp_§§",
  "eyJhbGciOiJIUzI1NiJ9.§.§",
];

const letters = fc.stringMatching(/^[a-z0-9]{6,9}$/);
/** It has no form of its own by which it is known. Either half of it would be told. */
const halves = (between: fc.Arbitrary<string>) =>
  fc.tuple(letters, between, letters).map(([one, mark, other]) => [`q7${one}`, mark, `q8${other}`] as const);
const written = fc.oneof(
  fc.tuple(fc.constantFrom(...WITH_PUNCTUATION), halves(fc.constantFrom(..."!#$%^*()+.:<>?|~-_=[]{}@/,;&"))),
  fc.tuple(fc.constantFrom(...PLAIN), halves(fc.constant(""))),
);
const noise = fc.oneof(
  words(["mount failed: ", "exit status 32", "'", '"', "{", "}", ", ", "a=b ", "\\", "/var/lib", "(", ": ", "\n"], 5),
  anyText,
);
/** What stands between a secret and other text. */
const gap = fc.constantFrom(" ", "\n", "; ");

const inputs = fc.record({ before: noise, gap, written, after: noise });

export const secrets = createTarget({
  name: "secrets",
  against: "what report promises: a secret that is named, or in a known form, is cut, whatever stands around it",
  weight: 1,
  inputs,
  batchSize: 2_000,
  open: async () => ({
    judge: async (made) =>
      made.map(({ before, gap: between, written: [form, [one, mark, other]], after }) => {
        const text = before + between + form.replaceAll("§", () => one + mark + other) + between + after;
        const redacted = redactText(text).text;
        if (!redacted.includes(one) && !redacted.includes(other)) return AGREES;
        return { kind: "finding", text: `${JSON.stringify(text)} is left as ${JSON.stringify(redacted)}` };
      }),
    [Symbol.asyncDispose]: async () => {},
  }),
});

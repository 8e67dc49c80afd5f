import * as fc from "fast-check";
import { redactText } from "../../src/report/redact-text";
import { anyText, words } from "../arbitraries";
import { AGREES, createTarget } from "../target";

/** Ways in which a secret is written, with SECRET in its place. */
const FORMS = [
  "password=SECRET",
  'password="SECRET"',
  "password: SECRET",
  "--password SECRET",
  "adminPassword='SECRET'",
  '{"token":"SECRET"}',
  '{\\"clientSecret\\": \\"SECRET\\"}',
  "AWS_SECRET_ACCESS_KEY=SECRET",
  "Authorization: Bearer SECRET",
  "authorization=Basic SECRET=",
  "Cookie: session=SECRET",
  "https://user:SECRET@host/path",
  "rbd -u admin:SECRET",
  "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----",
  "ghp_SECRETSECRET",
  "eyJhbGciOiJIUzI1NiJ9.SECRET.SECRET",
  "secretKey => SECRET",
  'secrets:<key:"a" value:"SECRET" >',
  'secrets:{key:"a}" value:"SECRET"}',
  '{"key":"password","value":"SECRET"}',
  "iscsiadm --name node.session.auth.password --value SECRET",
  '["--password" "SECRET"]',
  "bindpw=SECRET",
];
/** It has no form of its own by which it is known. */
const secret = fc.stringMatching(/^[a-z0-9]{12,20}$/).map((text) => `q7${text}`);
const noise = fc.oneof(
  words(["mount failed: ", "exit status 32", "'", '"', "{", "}", ", ", "a=b ", "\\", "/var/lib", "(", ": ", "\n"], 5),
  anyText,
);
/** What stands between a secret and other text. */
const gap = fc.constantFrom(" ", "\n", "; ");

const inputs = fc.record({ before: noise, gap, form: fc.constantFrom(...FORMS), secret, after: noise });

export const secrets = createTarget({
  name: "secrets",
  against: "what report promises: a secret that is named, or in a known form, is cut, whatever stands around it",
  weight: 1,
  inputs,
  batchSize: 2_000,
  open: async () => ({
    judge: async (made) =>
      made.map(({ before, gap: between, form, secret: word, after }) => {
        const text = before + between + form.replaceAll("SECRET", word) + between + after;
        const redacted = redactText(text).text;
        return redacted.includes(word)
          ? { kind: "finding", text: `${JSON.stringify(text)} is left as ${JSON.stringify(redacted)}` }
          : AGREES;
      }),
    [Symbol.asyncDispose]: async () => {},
  }),
});

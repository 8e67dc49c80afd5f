export type NameKind = "named secret" | "user name";

/** Words of a name, in one, that make its value a secret wherever they stand. */
const SECRET =
  /pass(?:word|wort|wd|phrase|code|wrd)|pswd|secret|token|credential|signature|authorization|connectionstring|keyring|sess(?:ion)?id|(?:api|access|account|private|shared|storage|encryption|master|client|signing|auth|ssh|user|admin|session|pass|license)key/;

/** The same at the end of a name that is written in one: `bindpw`, `dbpass`. */
const SECRET_SUFFIX = /(?:pw|pwd|psk|(?<!by|com|sur|tres)pass)$/;

/** Words that make its value a secret where they are the last. */
const SECRET_ENDS: ReadonlySet<string> = new Set(
  "psw key keys pin sig sas otp auth cred creds jwt salt chap cookie session bearer ticket csrf hmac seed sec".split(
    " ",
  ),
);

/** The last words, of two. */
const SECRET_PAIRS = /^(?:auth|key|session|sas)(?:id|data|string|url|value|material)$/;

/** Last words of a name that tell where a secret is, or of what kind, and not what it is. */
const HARMLESS_ENDS: ReadonlySet<string> = new Set(
  (
    "name names namespace ref file path dir class type mode method algorithm size length count version ttl expiry expiration " +
    "timeout exception error failed failure provider providers expired invalid missing required"
  ).split(" "),
);

// `runAsUser` of a pod is a number.
const USER = /(?<!runas)(?:user|username|userid|login|accountname)$/;

/**
 * What the value of a name is: of an option, a flag, a header, a variable, a member. Undefined is nothing that has to
 * be cut. Names may be written in any way: `adminPassword`, `ADMIN_PASSWORD`, `admin-password`.
 */
export function kindOfName(name: string): NameKind | undefined {
  const words = wordsOf(name);
  const last = words.at(-1) ?? "";
  // A driver is called so: secrets-store.csi.k8s.io.
  const joined = words.join("").replace("secretsstore", "");
  if (USER.test(joined)) return "user name";
  if (HARMLESS_ENDS.has(last)) return undefined;
  const isSecret =
    SECRET.test(joined) ||
    SECRET_SUFFIX.test(last) ||
    SECRET_ENDS.has(last) ||
    SECRET_PAIRS.test(words.slice(-2).join(""));
  return isSecret ? "named secret" : undefined;
}

function wordsOf(name: string): readonly string[] {
  const parted = name.replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  return parted
    .toLowerCase()
    .replace(/(?<=[a-z])\d+(?![a-z\d])/g, "")
    .split(/[^a-z\d]+/)
    .filter((word) => word !== "");
}

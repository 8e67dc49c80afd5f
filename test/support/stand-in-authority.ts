import { join } from "node:path";
import { run } from "../../scripts/run";
import { needPrograms } from "../../scripts/tools/debian";
import { cosign, succeeded, withoutServices } from "./signing";

/**
 * What Sigstore's public services are to a workflow: an authority that gives certificates with the workflow's identity
 * in them. The certificates have the fields of https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md that
 * verifying reads; there is no log.
 */
export interface StandInAuthority {
  /** For `cosign sign`, `attest` and `sign-blob`, with `COSIGN_PASSWORD` empty. */
  readonly signing: readonly string[];
  /** For `cosign verify` and its like: which authority to trust, and that there is no log. */
  readonly verifying: readonly string[];
}

/**
 * @param directory takes its files
 * @param identity the URI of a workflow, at a branch or tag
 * @param issuer who vouches for the identity
 */
export async function makeAuthority(directory: string, identity: string, issuer: string): Promise<StandInAuthority> {
  await needPrograms({ openssl: "openssl" });
  const file = (name: string): string => join(directory, name);
  const openssl = async (line: string): Promise<string> => run(["openssl", ...line.split(" ")], { cwd: directory });
  const extensions = [
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=codeSigning",
    `subjectAltName=critical,URI:${identity}`,
    `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${issuer}`,
  ];
  await Bun.write(file("extensions"), extensions.join("\n"));
  const request = "req -new -config /dev/null -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  const authority = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
  await openssl(`${request} -x509 -keyout authority.pem -subj /O=stand-in ${authority} -out authority.crt`);
  await openssl(`${request} -keyout workflow.pem -subj / -out workflow.csr`);
  const issue = "x509 -req -CA authority.crt -CAkey authority.pem -CAcreateserial -extfile extensions";
  await openssl(`${issue} -in workflow.csr -out workflow.crt`);

  const convert = ["import-key-pair", "--key", file("workflow.pem"), "--output-key-prefix", file("workflow")];
  succeeded(await cosign(convert, { COSIGN_PASSWORD: "" }));
  const root = `--fulcio=url=https://registry.example,certificate-chain=${file("authority.crt")}`;
  const services = await withoutServices(directory, [root]);
  const certificate = ["--certificate", file("workflow.crt"), "--certificate-chain", file("authority.crt")];
  const trusted = `--trusted-root=${file("trusted-root.json")}`;
  return {
    signing: ["--yes", "--key", file("workflow.key"), ...certificate, ...services],
    verifying: [trusted, "--insecure-ignore-tlog=true", "--insecure-ignore-sct=true"],
  };
}

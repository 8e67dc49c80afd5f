import { describe, expect, test } from "bun:test";
import { REDACTED } from "../../src/report/redact-named";
import { redactText } from "../../src/report/redact-text";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjc2ktbm9kZSJ9.c2lnbmF0dXJlLXRoYXQtaXMtbm90";
const PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----";
const AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const AZURE_KEY = `${"Zm9vYmFyQmF6MTIzNDU2Nzg5".repeat(3)}Zm9vYmFyQmF6MQ==`;

describe("a secret is cut, and the rest is left to read", () => {
  test.each<readonly [string, string, string]>([
    ["an option", "mount -o vers=3.0,password=hunter2 //a/b", "mount -o vers=3.0,password=[redacted] //a/b"],
    ["an option before another", "password=hunter2,vers=3.0", "password=[redacted],vers=3.0"],
    ["a password with a comma", "password=hun,ter2,vers=3.0", "password=[redacted],vers=3.0"],
    ["a password with quotes", `password=hun"ter'2 failed`, "password=[redacted] failed"],
    ["a secret of Ceph", "name=admin,secret=AQBhunter2==", "name=admin,secret=[redacted]"],
    ["a user", "mount -o username=alice,uid=0", "mount -o username=[redacted],uid=0"],
    ["a user and a password", "user: alice pass: hunter2 ok", "user: [redacted] pass: [redacted] ok"],
    ["a flavour of security that is none", "sec=hunter2,vers=4.2", "sec=[redacted],vers=4.2"],
    ["a member of JSON", '{"adminPassword":"hun\\"ter2","a":1}', '{"adminPassword":[redacted],"a":1}'],
    ["JSON in a quoted text", '"{\\"token\\": \\"hunter 2\\", \\"a\\": 1}"', '"{\\"token\\": [redacted], \\"a\\": 1}"'],
    ["a map as Go prints it", "secrets:map[a:hunter2 b:map[c:d]] x", "secrets:[redacted] x"],
    ["a map in Go's syntax", 'Secrets:map[string]string{"a":"hunter2", "b":"c"} x', "Secrets:[redacted] x"],
    ["a text without its end", 'password="hunter2 and more', "password=[redacted]"],
    ["a flag", "smbd --password hunter2 -d", "smbd --password [redacted] -d"],
    ["a variable", "AWS_SECRET_ACCESS_KEY=hunter2 aws", "AWS_SECRET_ACCESS_KEY=[redacted] aws"],
    ["an iSCSI setting", "node.session.auth.password = hunter2", "node.session.auth.password = [redacted]"],
    ["a block of YAML", "password: |\\n  hunter2", "password: [redacted]"],
    ["a query", "GET /v?sig=hunter2&x=1", "GET /v?sig=[redacted]&x=1"],
    ["an escaped query", "password%3Dhunter2%26", "password%3D[redacted]"],
    ["an escaped sign", "password\\u003dhunter2", "password\\u003d[redacted]"],
    ["quotes after a word", 'the password "hunter 2" is wrong', "the password [redacted] is wrong"],
    ["a sentence", "the password is hunter2 now", "the password is [redacted] now"],
    ["a word with a digit", "wrong password hunter2 for it", "wrong password [redacted] for it"],
    ["a password for somebody", "Password for alice: hunter2", "Password for alice: [redacted]"],
    ["a variable of a container", '{"name":"DB_PASS","value":"hunter2"}', '{"name":"DB_PASS","value":[redacted]}'],
    [
      "a variable as Go prints it",
      "{Name:DB_PASSWORD Value:hunter2 ValueFrom:nil}",
      "{Name:DB_PASSWORD Value:[redacted] ValueFrom:nil}",
    ],
    ["a variable of another spelling", '{"key":"password","value":"hunter2"}', '{"key":"password","value":[redacted]}'],
    ["an entry of a map in protobuf's text", 'key:"userKey" value:"hunter2"', 'key:"userKey" value:[redacted]'],
    ["a map in protobuf's text", 'secrets:<key:"a" value:"hunter>2" > x', "secrets:[redacted] x"],
    ["brackets in quotes", '"secrets":{"a":"hun} ter2","b":"\\"} hunter2"} x', '"secrets":[redacted] x'],
    ["a map in its newer form", 'secrets:{key:"a" value:"hunter}2"} x', "secrets:[redacted] x"],
    [
      "arguments of iscsiadm",
      "iscsiadm --op update --name node.session.auth.password --value hunter2 failed",
      "iscsiadm --op update --name node.session.auth.password --value [redacted] failed",
    ],
    [
      "short arguments of iscsiadm",
      "iscsiadm -o update -n node.session.auth.password -v hunter2 failed",
      "iscsiadm -o update -n node.session.auth.password -v [redacted] failed",
    ],
    [
      "arguments of iscsiadm as Go quotes them",
      '["--name" "node.session.auth.password" "--value" "hunter2"]',
      '["--name" "node.session.auth.password" "--value" [redacted]]',
    ],
    ["a list of arguments in JSON", '["--password","hunter2","-d"]', '["--password",[redacted],"-d"]'],
    ["a list of arguments as Go quotes them", '["--password" "hunter2" "-d"]', '["--password" [redacted] "-d"]'],
    ["JSON in a query", "q=%7B%22token%22%3A%22hunter2%22%7D", "q=%7B%22token%22%3A[redacted]"],
    ["a password for a user", "Password for user alice: hunter2", "Password for user alice: [redacted]"],
    ["a name behind another", 'bad credentials: password="hun ter2" x', "bad credentials: [redacted] x"],
    ["a name behind a user", 'login: password: "hun ter2" x', "login: [redacted] x"],
    ["a map behind a name", 'key secrets:{a:"} hunter2"} x', "key [redacted] x"],
    [
      "a password like a name",
      "password=topsecret: denied; key=mypw : denied",
      "password=[redacted] denied; key=[redacted] : denied",
    ],
    ["a key with a value", "key=hunter2 value=3 x", "key=[redacted] value=3 x"],
    ["sessions", "JSESSIONID=hunter2 isisessid=hunter2", "JSESSIONID=[redacted] isisessid=[redacted]"],
    ["a ticket", '"ticket":"PVE:root@pam:hunter2" x', '"ticket":[redacted] x'],
    ["a name in one word", "bindpw=hunter2 dbpass=hunter2", "bindpw=[redacted] dbpass=[redacted]"],
    ["an element of XML", "<Password>hunter2</Password> x", "<Password>[redacted] x"],
    ["a member of Ruby", ":password => 'hunter2'", ":password => [redacted]"],
    ["a numbered name", "password2=hunter2 key1=hunter2", "password2=[redacted] key1=[redacted]"],
    ["brackets within", "password=hun[te]r2 x", "password=[redacted] x"],
    ["quotes that are joined", "password='hun'\\''ter2' x", "password=[redacted] x"],
    ["a literal of kubectl", "--from-literal=password=hunter2", "--from-literal=password=[redacted]"],
    ["a text of Python", "{'password': u'hunter2', 'a': 1}", "{'password': [redacted], 'a': 1}"],
    ["an account", "AccountKey=aaaabbbb==;EndpointSuffix=core", "AccountKey=[redacted];EndpointSuffix=core"],
    ["a URL", "https://alice:hunter2@a.example:8080/p", "https://[redacted]@a.example:8080/p"],
    ["a URL without a user", "redis://:hunter2@a.example:6379/1", "redis://[redacted]@a.example:6379/1"],
    ["a URL with a user alone", "ssh://alice@a.example/p", "ssh://[redacted]@a.example/p"],
    ["a URL with a hostile password", "https://alice:h/un@ter2@a.example/p", "https://[redacted]@a.example/p"],
    ["a URL with a password like a port", "a://alice:12/hunter2@a.example/p", "a://[redacted]@a.example/p"],
    ["a URL that was cut", "https://alice:hunte\u2026", "https://[redacted]\u2026"],
    ["a share", "//alice:hunter2@a.example/share", "//[redacted]@a.example/share"],
    ["a source of sshfs", "alice:hunter2@a.example:/p", "[redacted]@a.example:/p"],
    ["arguments of curl", "curl -u alice:hunter2 http://a", "curl -u [redacted] http://a"],
    ["arguments of smbclient", "smbclient -U alice%hunter2 //a/b", "smbclient -U [redacted] //a/b"],
    ["a password after a user", "podman login -u admin -p hunter2 quay", "podman login -u admin -p [redacted] quay"],
    ["the same in capitals", "ipmitool -U admin -P hunter2 sol", "ipmitool -U admin -P [redacted] sol"],
    ["arguments of sshpass", "sshpass -p hunter2 ssh a", "sshpass -p [redacted] ssh a"],
    ["a header", "Authorization: Bearer hunter2, x", "Authorization: [redacted], x"],
    [
      "headers as Go prints them",
      "map[Authorization:[Basic aHVudGVyMg==] A:[b]]",
      "map[Authorization:[redacted] A:[b]]",
    ],
    ["another scheme", "Authorization: Token hunter2", "Authorization: [redacted]"],
    ["a signature of AWS", "AWS4-HMAC-SHA256 Credential=a/b, Signature=hunter2", "AWS4-HMAC-SHA256 [redacted]"],
    ["a bearer token", "sent bearer hunter2 to it", "sent bearer [redacted] to it"],
    ["cookies", "Cookie: a=hunter2; b=hunter2\\r\\nHost: a", "Cookie:[redacted]\\r\\nHost: a"],
    ["a JSON Web Token", `got ${JWT} from it`, "got [redacted] from it"],
    ["the beginning of one", `got ${JWT.slice(0, 20)}…`, "got [redacted]…"],
    ["a token of Vault", "hvs.CAESIJhunter2hunter2 is bad", "[redacted] is bad"],
    ["an id of AWS", "key AKIAIOSFODNN7EXAMPLE is bad", "key [redacted] is bad"],
    ["a key of AWS", `got ${AWS_SECRET} from it`, "got [redacted] from it"],
    ["a key of Azure", `got ${AZURE_KEY} from it`, "got [redacted] from it"],
    ["a key of Ceph", "key AQBzVwVkAAAAABAAnLF5rxvQ8q0TqH2YpX1yXw==", "key [redacted]"],
    ["a private key", `got ${PEM} from it`, "got [redacted] from it"],
    ["a private key in one line", `got ${PEM.replaceAll("\n", "\\n")} from it`, "got [redacted] from it"],
    ["a private key in base64", `client-key-data: ${btoa(PEM)}`, "client-key-data: [redacted]"],
    ["a private key without its end", `got ${PEM.slice(0, 40)}`, "got [redacted]"],
    ["random text", "got dGhpc0lzQVNlY3JldDEyMzQ1 from it", "got [redacted] from it"],
  ])("%s", (_, text, redacted) => {
    expect(redactText(text).text).toBe(redacted);
    expect(redactText(redacted)).toEqual({ text: redacted, counts: new Map() });
  });
});

const PASSWORDS = [
  ..."hunter2XYZ p@ss:w/rdXYZ! ab,cdXYZ;ef ab;cd,XYZ (xXYZ)[y]{z} a[b]XYZ q\"uotXYZ it'sXYZ %41&aXYZ =eq==XYZ".split(
    " ",
  ),
  ..."-dashXYZ #h$XYZ p\u00e4sswXYZ a\\bXYZ ab`cXYZ <aXYZ> a&b=XYZ a:b=XYZ x//yXYZ@z".split(" "),
];

describe("no password is half cut, whatever it is made of", () => {
  test.each<readonly [string, (password: string) => string]>([
    ["an option", (password) => `mount -o password=${password},vers=3 //a/b failed`],
    ["the last option", (password) => `mount -o vers=3,password=${password}`],
    ["a member of YAML", (password) => `password: ${password} was bad`],
    ["a block of YAML", (password) => `token: |\\n  ${password} ${password}`],
    ["JSON", (password) => JSON.stringify({ password, a: 1 })],
    ["JSON within JSON", (password) => JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ password }) }) })],
    ["a variable of a container", (password) => JSON.stringify({ name: "API_TOKEN", value: password })],
    ["a flag", (password) => `x --password ${password.replace(/^-/, "")} --y`],
    ["a flag with a sign", (password) => `x --password=${password} --y`],
    ["a shell's variable", (password) => `PASSWORD='${password.replaceAll("'", `'\\''`)}' x`],
    ["a URL", (password) => `https://alice:${encodeURIComponent(password)}@a.example/p`],
    ["a URL that is not escaped", (password) => `https://alice:${password.replaceAll('"', "")}@a.example/p`],
    ["a query", (password) => `https://a.example/p?password=${encodeURIComponent(password)}&x=1`],
    ["a struct as Go prints it", (password) => `{Username:alice Password:${password} Host:h}`],
    ["a header", (password) => `X-Vault-Token: ${password}`],
    ["a cookie", (password) => `Set-Cookie: s=${password}; Path=/`],
  ])("%s", (_, textWith) => {
    const texts = PASSWORDS.map((password) => redactText(textWith(password)).text);
    expect(texts.filter((text) => text.includes("XYZ"))).toEqual([]);
  });
});

test.each([
  "/var/lib/kubelet/plugins/kubernetes.io/csi/secrets-store.csi.k8s.io/0f0e0d0c0b0a09080706050403020100/globalmount",
  "unix:///var/lib/kubelet/plugins/ebs.csi.aws.com/csi.sock",
  "vol-0123456789abcdef0 pvc-6b29fc40-ca47-1067-b31d-00dd010662da fs-0123456789abcdef0::fsap-0123456789abcdef0",
  "/subscriptions/6b29fc40-ca47-1067-b31d-00dd010662da/resourceGroups/MC_myGroup_myCluster_westeurope/providers/Microsoft.Compute/disks/pvc-1",
  "nfs.example:/exports/a 10.0.0.1:6789,10.0.0.2:6789:/volumes/csi/csi-vol-6b29fc40-ca47-1067-b31d-00dd010662da",
  "csi-node@6b29fc40-ca47-1067-b31d-00dd010662da.cephfs=/volumes/a",
  "registry.example:5000/csi/driver:v1.2.3@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "https://registry.example:5000/a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  'secret "kube-system/csi-credentials" not found',
  "secretName: csi-credentials, secretNamespace=kube-system tokenFile=/var/run/token",
  "secrets-store.csi.k8s.io: connection refused",
  "open /var/run/secrets/kubernetes.io/serviceaccount/token: permission denied",
  "failed to get secret: rpc error: code = NotFound; the token is expired; password is incorrect; key: not found",
  'login to https://a.example:8443 failed; User "system:serviceaccount:kube-system:csi" cannot list',
  'secret ceph/csi-rbd-secret: not found; key "username" is missing; missing required key "password" in secret',
  "NoCredentialProviders: no valid providers in chain; InvalidSignatureException: Signature expired",
  "ExpiredToken: The security token included in the request is expired",
  "rbd: map pool/csi-vol-1 --id csi-rbd-node -m 10.0.0.1:6789 --keyfile=/tmp/keyfile-1 --key=***stripped***",
  "google: could not find default credentials. See https://cloud.google.com/docs/authentication",
  "mount -t efs -o tls,accesspoint=fsap-0123456789abcdef0 fs-0123456789abcdef0:/ /mnt: exit status 32",
  "iSCSI login failed due to authorization failure (24); the client does not have authorization to perform this",
  "mkdir -p /var/lib/a: permission denied, 5 > 3, code -> 13",
  "run livenessprobe as uid 0 (runAsUser: 0)",
  "fuse rw,user_id=0,group_id=0,allow_other; {userID: 1000}",
  "the token expired; bearer token expired; authentication failed; no credentials were found",
  "bypass=1 the mount; missing fields: ['password', 'username']; key: a, value: b",
  'volume_context:<key:"server" value:"nfs.example" > key:"share" value:"/a"',
  "sec=krb5p sec=sys password=<hidden> secrets:***stripped*** token=null",
  "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
  "Mon, 25 Nov 2026 at https://a.example:8080/path?x=1#y",
])("what a vendor needs stays: %s", (text) => {
  expect(redactText(text)).toEqual({ text, counts: new Map() });
});

test("what was cut is counted by its kind", () => {
  const { counts } = redactText("user=a password=b token=c https://d:e@f/");
  expect(Object.fromEntries(counts)).toEqual({ "user name": 1, "named secret": 2, "URL credentials": 1 });
});

test.each([
  ["one word", "a".repeat(65_536)],
  ["spaces", `password${" ".repeat(65_536)}`],
  ["slashes", "//a:".repeat(16_384)],
  ["backslashes", `cookie:${"\\".repeat(65_536)}`],
  ["names", "password ".repeat(7_000)],
  ["quotes", 'password="'.repeat(6_500)],
  ["brackets", "secret:map[".repeat(6_000)],
  ["begins of keys", "-----BEGIN ".repeat(6_000)],
  ["signs", "a:b@".repeat(16_000)],
])("a driver's longest text is done at once: %s", (_, text) => {
  const begun = performance.now();
  redactText(text);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test("what stands in the place of a secret is no secret", () => {
  expect(redactText(`password=${REDACTED}`).text).toBe(`password=${REDACTED}`);
});

import { createHash } from "node:crypto";
import t from "tap";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { maskedTexts } from "../../../src/inventory/masked-texts.js";
import { resolveSettings } from "../../../src/inventory/settings/resolve.js";
import { memoryReaders } from "./fixtures/helpers.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

t.test("texts that nobody may see", async (t) => {
  const text = [
    "edges:",
    "  hosts:",
    "    pi-1:",
    "      ansible_host: 192.0.2.7",
    "      ansible_password: p1",
    "      ansible_become_pass: b1",
    "      rtmp_publish_token: token-1234",
    "      http_status_password: password-1234",
    "      rtmp_stream_keys: { church: key-1234, tower: key-5678 }",
    "      push: [{ name: tube, stream: church, url: 'rtmp://tube.example/live' }]",
    "      push_keys: { tube: push-1234 }",
    "      pull: [{ name: cam, url: 'rtsp://u:pw@cam.example/' }]",
    "      hls_fragment: 2s",
    "",
  ].join("\n");
  const inventory = await loadInventory("e.yml", { readers: memoryReaders({ "e.yml": text }) });
  const [host] = inventory.hosts;
  if (host === undefined) return t.fail("no host");
  const given = [
    ...["b1", "key-1234", "key-5678", "p1", "password-1234", "push-1234"],
    ...["rtsp://u:pw@cam.example/", "token-1234"],
  ];
  t.strictSame([...maskedTexts(host)].sort(), given);
  // As playbooks/vars/derived.yml, assets/pull and browsers make them.
  const made = [
    Buffer.from("admin:password-1234").toString("base64"),
    sha256("edge relay token-1234"),
    sha256("edge pull cam token-1234"),
  ];
  t.strictSame([...maskedTexts(host, resolveSettings(host))].sort(), [...given, ...made].sort());
  t.notMatch(JSON.stringify(host), /1234|p1|b1|pw@/, "nor does the host show them itself");
});

import t from "tap";
import { binfmtLine, emulatorOf, ownArchitecture, requireEmulatedRelease } from "../../../src/lab/emulation.js";
import { missingPackages } from "../../../src/lab/requirements.js";

const hasDpkg = await ownArchitecture().catch(() => undefined);
const skip = hasDpkg === undefined ? "this machine has no dpkg" : false;

t.test("other architectures have an emulator and the oldest CPU that they are made for", { skip }, async (t) => {
  t.equal(await emulatorOf(undefined), undefined);
  for (const [architecture, qemu, cpu] of [
    ["armel", "arm", "arm1176"],
    ["armhf", "arm", "cortex-a7"],
    ["arm64", "aarch64", "cortex-a53"],
  ] as const) {
    if (architecture === hasDpkg) t.equal(await emulatorOf(architecture), undefined, "our own needs none");
    else t.match(await emulatorOf(architecture), { qemu, cpu });
  }
  if (hasDpkg !== "amd64") await t.rejects(emulatorOf("amd64"), { code: "E_LAB_ARCHITECTURE" });
});

t.test(
  "the kernel is told under a name of our own, with credentials",
  { skip: skip || hasDpkg !== "amd64" },
  async (t) => {
    const emulator = await emulatorOf("armhf");
    if (emulator === undefined) throw new Error("armhf is not emulated here");
    const line = binfmtLine(emulator, "/usr/bin/qemu-arm-static");
    const [, name, kind, offset, magic = "", mask = "", interpreter, flags] = line.split(":");
    t.same([name, kind, offset, interpreter, flags], ["edge-setup-arm", "M", "", "/usr/bin/qemu-arm-static", "POCF"]);
    t.ok(magic.startsWith("\\x7f\\x45\\x4c\\x46\\x01"), "an ELF file of 32 bits");
    t.equal(magic.length, mask.length);
    t.equal(magic.length, 20 * 4, "of twenty bytes, escaped");
  },
);

t.test("a release that does not run under emulation is refused with the reason", async (t) => {
  t.doesNotThrow(() => requireEmulatedRelease("bookworm"));
  t.throws(() => requireEmulatedRelease("trixie"), { code: "E_LAB_ARCHITECTURE", hint: /bookworm/ });
});

t.test("what emulation needs is named beside what every host does", async (t) => {
  const own = missingPackages();
  const all = missingPackages({ emulated: true });
  t.ok(own.every((one) => all.includes(one)));
  t.ok(all.every((one) => own.includes(one) || ["arch-test", "qemu-user-static"].includes(one)));
});

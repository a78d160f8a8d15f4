import type { Value } from "../playbook/types.js";
import { all, type Collected, fileText, one, splitAt } from "./facts-answer.js";
import { DMI } from "./facts-hardware.js";

type Role = "guest" | "host";

/** Names of products and makers that a virtual machine has, each with its kind; the first that fits counts. */
const PRODUCTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["KVM", "KVM Server", "Bochs", "AHV"].map((name) => [name, "kvm"])),
  ...Object.fromEntries(["VMware Virtual Platform", "VMware7,1"].map((name) => [name, "VMware"])),
  ...Object.fromEntries(["OpenStack Compute", "OpenStack Nova"].map((name) => [name, "openstack"])),
};
const BIOSES: Readonly<Record<string, string>> = {
  Xen: "xen",
  "innotek GmbH": "virtualbox",
  ...Object.fromEntries(["Amazon EC2", "DigitalOcean", "Hetzner"].map((name) => [name, "kvm"])),
};
const MAKERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["QEMU", "Amazon EC2", "DigitalOcean", "Google", "Scaleway", "Nutanix"].map((name) => [name, "kvm"]),
  ),
  KubeVirt: "KubeVirt",
  "Microsoft Corporation": "VirtualPC",
  "Parallels Software International Inc.": "parallels",
  "OpenStack Foundation": "openstack",
};
/** What /proc/cpuinfo says of processors that are none. */
const PROCESSORS: readonly (readonly [RegExp, string])[] = [
  [/^model name.*QEMU Virtual CPU/, "kvm"],
  [/^vendor_id.*User Mode Linux/, "uml"],
  [/^model name.*UML/, "uml"],
  [/^machine.*CHRP IBM pSeries .emulated by qemu./, "kvm"],
  [/^vendor_id.*PowerVM Lx86/, "powervm_lx86"],
];
const CGROUPS: readonly (readonly [RegExp, string])[] = [
  [/\/docker(\/|-[0-9a-f]+\.scope)/, "docker"],
  [/\/lxc\/|\/machine\.slice\/machine-lxc/, "lxc"],
  [/\/system\.slice\/containerd\.service/, "containerd"],
];
const CONTAINERS = ["docker", "lxc", "podman", "openvz", "containerd"];

/** Of what kind a machine is: the first sign decides, and all of them are listed. */
class Kind {
  readonly guest = new Set<string>();
  readonly host = new Set<string>();
  #found: readonly [type: string, role: Role | "NA"] | undefined;

  is(type: string, role: Role): void {
    this[role].add(type);
    this.#found ??= [type, role];
  }

  /** It decides, and is no sign that is listed. */
  decide(type: string, role: Role): void {
    this.#found ??= [type, role];
  }

  facts(): Record<string, Value> {
    const [virtualization_type, virtualization_role] = this.#found ?? ["NA", "NA"];
    return {
      virtualization_type,
      virtualization_role,
      virtualization_tech_guest: [...this.guest],
      virtualization_tech_host: [...this.host],
    };
  }
}

/** What contains or carries the host, looked for where Ansible looks, in its order. */
export function virtualFacts(got: Collected): Record<string, Value> {
  const kind = new Kind();
  const exists = (path: string) => all(got, "exists").includes(path);
  const signs = (lines: readonly string[], table: readonly (readonly [RegExp, string])[]) => {
    for (const line of lines) for (const [sign, name] of table) if (sign.test(line)) kind.is(name, "guest");
  };
  signs(all(got, "/proc/1/cgroup"), CGROUPS);
  signs(all(got, "environ"), [
    [/container=lxc/, "lxc"],
    [/container=podman/, "podman"],
    [/^container=./, "container"],
  ]);
  if (exists("/proc/vz") && !exists("/proc/lve")) kind.is("openvz", exists("/proc/bc") ? "host" : "guest");
  const systemd = fileText(got, "/run/systemd/container");
  if (systemd !== undefined) kind.is(systemd, "guest");
  if (exists("/.dockerenv") || exists("/.dockerinit")) kind.is("docker", "guest");
  if (systemd !== undefined || CONTAINERS.some((name) => kind.guest.has(name))) kind.guest.add("container");
  if (exists("/proc/xen")) {
    if (all(got, "/proc/xen/capabilities").some((line) => line.includes("control_d"))) kind.is("xen", "host");
    else kind.decide("xen", "guest");
  }
  firmware(got, kind);
  for (const line of all(got, "/proc/self/status")) {
    const [, id] = /^VxID:\s+(\d+)/.exec(line) ?? [];
    if (id !== undefined) kind.is("linux_vserver", id.startsWith("0") ? "host" : "guest");
  }
  signs(all(got, "cpu"), PROCESSORS);
  const modules = new Set(all(got, "/proc/modules").map((line) => splitAt(line, " ")[0]));
  if (modules.has("kvm")) kind.is("kvm", "host");
  if (modules.has("vboxdrv")) kind.is("virtualbox", "host");
  if (modules.has("virtio")) {
    kind.host.add("kvm");
    kind.decide("kvm", "guest");
  }
  const product = all(got, "dmidecode").filter((line) => !line.startsWith("#"));
  if (one(got, "dmidecode") !== "" && product.join("").trim().startsWith("VMware")) kind.is("VMware", "guest");
  if (product.some((line) => line.includes("BHYVE"))) kind.is("bhyve", "guest");
  if (exists("/dev/kvm")) kind.is("kvm", "host");
  return kind.facts();
}

function firmware(got: Collected, kind: Kind): void {
  const [product, maker, family, bios] = ["product_name", "sys_vendor", "product_family", "bios_vendor"].map(
    (file) => fileText(got, `${DMI}/${file}`) ?? "",
  );
  const guest = (name: string | undefined) => {
    if (name !== undefined) kind.is(name, "guest");
  };
  const of = (table: Readonly<Record<string, string>>, name = "") =>
    Object.hasOwn(table, name) ? table[name] : undefined;
  const byProduct = of(PRODUCTS, product);
  if (byProduct === "kvm") guest("kvm");
  if (maker === "oVirt") guest("oVirt");
  if (maker === "Red Hat") guest(family === "RHV" ? "RHV" : product === "RHEV Hypervisor" ? "RHEV" : undefined);
  if (byProduct !== "kvm") guest(byProduct);
  guest(of(BIOSES, bios));
  guest(of(MAKERS, maker));
}

/** Second octets are tried from here, away from what home routers, Docker (172.17 ff.) and VPNs usually take. */
const FIRST_OCTET = 213;
const TRIED_RANGES = 40;

/** A /24 of the lab: `10.213.77` stands for 10.213.77.0/24. */
export type RangePrefix = string;

function toNumber(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** Whether the two networks share an address. A bare address is a /32. */
function overlaps(left: string, right: string): boolean {
  const [leftAddress = "", leftBits = "32"] = left.split("/");
  const [rightAddress = "", rightBits = "32"] = right.split("/");
  const size = 2 ** (32 - Math.min(Number(leftBits), Number(rightBits)));
  return Math.floor(toNumber(leftAddress) / size) === Math.floor(toNumber(rightAddress) / size);
}

/**
 * Chooses a private /24 that none of the networks in use (CIDR or bare IPv4 addresses) touches.
 * @returns undefined when all candidates are taken.
 */
export function chooseRange(used: readonly string[]): RangePrefix | undefined {
  const candidates = Array.from({ length: TRIED_RANGES }, (_, index) => `10.${FIRST_OCTET + index}.77`);
  return candidates.find((prefix) => !used.some((network) => overlaps(`${prefix}.0/24`, network)));
}

/** The unique local IPv6 /64 that goes with a range: fd + "ed6e" (edge) + its octets. */
export function prefix6Of(range: RangePrefix): string {
  const [, second, third] = range.split(".").map((octet) => Number(octet).toString(16));
  return `fded:6e:${second}:${third}`;
}

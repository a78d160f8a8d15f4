/** What a host's root lies on. */
export type StorageKind = "SD card" | "eMMC" | "USB drive" | "NVMe" | "virtual disk" | "SSD" | "hard disk";

/**
 * @param device folder of the block device in /sys/devices
 * @param rotational 1 of what turns; virtual disks may say so, too
 * @param type of mmc: `SD` or `MMC`
 * @returns undefined where the root is on no block device, such as a container's
 */
export function storageKindOf(device: string, rotational: string, type: string): StorageKind | undefined {
  if (!device.startsWith("/sys/devices/")) return undefined;
  if (device.includes("/mmc_host/")) return type === "MMC" ? "eMMC" : "SD card";
  if (/\/usb\d/.test(device)) return "USB drive";
  if (device.includes("/nvme/")) return "NVMe";
  if (/\/(virtio\d|vbd-|vmbus)|\/virtual\/block\//.test(device)) return "virtual disk";
  return rotational === "0" ? "SSD" : rotational === "1" ? "hard disk" : undefined;
}

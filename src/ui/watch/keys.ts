import type { KeyBinding } from "../key-binding.js";

export const watchKeys: readonly KeyBinding[] = [];

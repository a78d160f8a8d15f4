import type { KeyBinding } from "../key-binding.js";

export const wizardKeys: readonly KeyBinding[] = [];

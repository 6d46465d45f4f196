export type { Inventory, InventoryOptions } from "./sources/inventory/read-inventory.js";
export { readInventory } from "./sources/inventory/read-inventory.js";
export type { ListObjectsOptions } from "./sources/list-objects.js";
export { listObjects } from "./sources/list-objects.js";
export type { ReadKeysOptions } from "./sources/read-keys.js";
export { readKeys } from "./sources/read-keys.js";
export type { StoredObject } from "./sources/stored-object.js";

import { HIERARCHY } from "./hierarchy.js";
import { MODES } from "./modes.js";
import { STORED } from "./stored.js";
import type { Picture } from "./svg.js";
import { GET, PUT } from "./ways.js";

/** Each is a file of docs/pictures. */
export const PICTURES: readonly Picture[] = [STORED, PUT, GET, HIERARCHY, MODES];

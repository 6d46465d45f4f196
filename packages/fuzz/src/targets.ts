import type { Target } from "./target.js";
import { bodies } from "./targets/bodies.js";
import { envelopes } from "./targets/envelopes.js";
import { headerText } from "./targets/header-text.js";
import { keys } from "./targets/keys.js";
import { messagesTarget } from "./targets/messages.js";
import { ranges } from "./targets/ranges.js";

export const TARGETS: readonly Target[] = Object.freeze([envelopes, bodies, ranges, headerText, messagesTarget, keys]);

import type { PlannedEnvelope } from "@s3ec/client";
import { DESCRIPTION, envelopeHash, METADATA, placeName, textHash } from "../journal/envelope-hash.js";
import type { Intent } from "../journal/journal-lines.js";
import type { StandingEnvelopes } from "../journal/standing-envelopes.js";

/** What is about to be written, as the journal has it. */
export function intentOf(key: string, { place, metadata, text, beside = [], removes = [] }: PlannedEnvelope): Intent {
  const others = Object.fromEntries(beside.map((each) => [placeName(each.place), textHash(each.text)]));
  const describes = beside.find((each) => placeName(each.place) === DESCRIPTION)?.text;
  return {
    key,
    intent: text === undefined ? envelopeHash(metadata) : textHash(text),
    place: placeName(place),
    ...(beside.length === 0 ? {} : { beside: others }),
    ...(describes === undefined ? {} : { describes }),
    ...(removes.length === 0 ? {} : { removes }),
  };
}

/** What an earlier process meant to write into an object's own metadata, where that stands. */
export function standingIntent({ looks }: StandingEnvelopes, intents: readonly Intent[]): Intent | undefined {
  const [hash = ""] = looks.wraps[METADATA] ?? [];
  return intents.find(({ place, intent }) => place === METADATA && intent !== "" && intent === hash);
}

/** The text that was to describe what stands, and does not. */
export function missingDescription(standing: StandingEnvelopes, intents: readonly Intent[]): string | undefined {
  const text = standingIntent(standing, intents)?.describes;
  const isThere = text === undefined || standing.looks.wraps[DESCRIPTION]?.includes(textHash(text)) === true;
  return isThere ? undefined : text;
}

/** Whether all that stands at a place was meant to; false where nothing does, or it tells nothing of itself. */
export function isIntended({ looks }: StandingEnvelopes, place: string, intents: readonly Intent[]): boolean {
  const meant = new Set(intents.flatMap((each) => (each.place === place ? [each.intent] : [])));
  const hashes = (looks.wraps[place] ?? []).filter((hash) => hash !== "");
  return hashes.length > 0 && hashes.every((hash) => meant.has(hash));
}

import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import { isDeleteMarker } from "../store/versions.js";
import { childText, element, leaf, malformed, parseXml, xmlDocument } from "../xml.js";
import { requireDeleteCondition } from "./conditions.js";
import { bypassesGovernance, requireUnlocked } from "./object-lock.js";
import { wholeSecond } from "./objects.js";

/** What a deletion is asked for. */
interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly bypasses: boolean;
}

/** What became of it: the version that is gone, or the delete marker that was made or is gone. */
interface Deleted {
  readonly versionId?: string;
  readonly deleteMarkerId?: string;
}

export const deleteObject: S3Handler = async ({ store }, exchange) => {
  const { bucket, key, headers, query } = exchange;
  const bypasses = bypassesGovernance(headers);
  const deletion = { key, versionId: query.get("versionId"), ifMatch: headers["if-match"], bypasses };
  const { versionId, deleteMarkerId } = await deleteOne(store.bucket(bucket), deletion);
  const shown = versionId ?? deleteMarkerId;
  await sendEmpty(exchange, 204, {
    ...(shown !== undefined && { "x-amz-version-id": shown }),
    ...(deleteMarkerId !== undefined && { "x-amz-delete-marker": "true" }),
  });
};

export const deleteObjects: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const request = parseXml(await receiveText(exchange, 8 << 20, true), "Delete");
  const objects = request.children.filter(({ name }) => name === "Object");
  if (objects.length === 0 || objects.length > 1000) throw malformed();
  const bypasses = bypassesGovernance(exchange.headers);
  const isQuiet = childText(request, "Quiet") === "true";
  const results: string[] = [];
  for (const object of objects) {
    const key = childText(object, "Key");
    if (key === undefined) throw malformed();
    const versionId = childText(object, "VersionId");
    const named = [leaf("Key", key), leaf("VersionId", versionId)];
    try {
      const deleted = await deleteOne(bucket, { key, versionId, ifMatch: childText(object, "ETag"), bypasses });
      if (!isQuiet) results.push(element("Deleted", ...named, ...markerOf(deleted)));
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      results.push(element("Error", ...named, leaf("Code", error.code), leaf("Message", error.message)));
    }
  }
  await sendXml(exchange, xmlDocument("DeleteResult", ...results));
};

async function deleteOne(bucket: Bucket, { key, versionId, ifMatch, bypasses }: Deletion): Promise<Deleted> {
  if (versionId === undefined) {
    const marker = await bucket.delete(key, wholeSecond(), (existing) => requireDeleteCondition(ifMatch, existing));
    return marker === undefined ? {} : { deleteMarkerId: marker.versionId };
  }
  const removed = await bucket.deleteVersion(key, versionId, (existing) => {
    requireDeleteCondition(ifMatch, existing);
    requireUnlocked(existing, bypasses);
  });
  if (bucket.settings.versioning === undefined) return {};
  return { versionId, ...(isDeleteMarker(removed) && { deleteMarkerId: versionId }) };
}

function markerOf({ deleteMarkerId }: Deleted): string[] {
  return deleteMarkerId === undefined
    ? []
    : [leaf("DeleteMarker", true), leaf("DeleteMarkerVersionId", deleteMarkerId)];
}

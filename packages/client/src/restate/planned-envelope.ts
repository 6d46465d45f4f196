import type { WrapPlace } from "@s3ec/materials";

/** An envelope that is about to be stored. */
export interface PlannedEnvelope {
  /** Where the new wrapped key goes. Absent for an object that is written anew, with all of its wraps. */
  readonly place?: WrapPlace;
  /** All user metadata of the object as it will stand, envelope included. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of a file or an annotation. */
  readonly text?: string;
  /**
   * What goes into files and annotations of it then: of an object that is written anew its wraps; of any, what describes it
   * (`describeInAnnotation`).
   */
  readonly beside?: readonly { readonly place: WrapPlace; readonly text: string }[];
  /** Files of the object before, which are removed once it is written anew, each only while it has this entity tag. */
  readonly removes?: readonly { readonly key: string; readonly etag: string }[];
}

/** How far a call goes, and who is told before it changes anything. */
export interface WritingOptions {
  /**
   * Told of each envelope that is about to be stored, and awaited before the first request that stores anything of it: a record that
   * it makes outlives the process. Where it rejects, nothing is stored, and the call rejects with that.
   */
  readonly beforeWrite?: ((envelope: PlannedEnvelope) => Promise<void>) | undefined;
  /** Do everything but what changes something: keys are used, and nothing is stored. Default false. */
  readonly dryRun?: boolean | undefined;
}

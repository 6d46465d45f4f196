import { Presets, SingleBar } from "cli-progress";

export interface ProgressBar {
  readonly update: (done: number, total: number | undefined) => void;
  readonly stop: () => void;
}

/** A bar on standard error, where that is a terminal; nothing elsewhere, so that logs stay readable. */
export function progressBar(): ProgressBar {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: "{bar} {percentage}% | {value}/{total} bytes | {eta_formatted}",
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update: (done, total) => {
      if (total === undefined) return;
      if (!started) bar.start(total, 0);
      started = true;
      bar.update(done);
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}

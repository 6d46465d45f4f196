import { runSection, type SectionJob } from "./sections.js";

// The other end of `main`: a section in a process of its own, so that none inherits the heap that another one has made.
process.once("message", async (job: SectionJob) => {
  process.send?.(await runSection(job));
  process.disconnect();
});

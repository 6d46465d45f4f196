import { pathToFileURL } from "node:url";

/**
 * What Lambda's own Node runtime does, by its documented Runtime API: loads a handler, takes an invocation, answers it. AWS's client for
 * that is a C++ library that has to be compiled.
 */
const [file = ""] = process.argv.slice(2);
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const { handler } = await import(pathToFileURL(file).href);

for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const deadline = Number(next.headers.get("lambda-runtime-deadline-ms"));
  const context = { getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    const answer = await handler(await next.json(), context);
    await fetch(`${api}/invocation/${id}/response`, { method: "POST", body: JSON.stringify(answer) });
  } catch (error) {
    const said = { errorType: "Error", errorMessage: String(error) };
    await fetch(`${api}/invocation/${id}/error`, { method: "POST", body: JSON.stringify(said) });
  }
}

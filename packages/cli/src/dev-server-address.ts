import { InvalidArgumentError } from "commander";

/** How to reach a local server that somebody else started. */
export interface DevServerAddress {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: true;
}

/** Reads `http://ID:SECRET@127.0.0.1:4566?region=REGION`; what is left out is what `s3ec-dev-server` has by default. */
export function devServerAddress(text: string): DevServerAddress {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError("Write it as it was printed: http://127.0.0.1:4566");
  }
  const url = new URL(text);
  const { region = DEFAULTS.region, ...unknown } = Object.fromEntries(url.searchParams);
  if (Object.keys(unknown).length > 0 || region === "") {
    throw new InvalidArgumentError("After its ? only region=NAME is known.");
  }
  if ((url.username === "") !== (url.password === "")) {
    throw new InvalidArgumentError("Write both the access key id and the secret: http://ID:SECRET@127.0.0.1:4566");
  }
  const [accessKeyId, secretAccessKey] =
    url.username === "" ? [DEFAULTS.id, DEFAULTS.secret] : [decoded(url.username), decoded(url.password)];
  return { endpoint: url.origin, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true };
}

/** The option that names it, to be written behind a command; of credentials nothing is repeated. */
export function devServerOption({ endpoint, region, credentials }: DevServerAddress): string {
  if (credentials.accessKeyId !== DEFAULTS.id || credentials.secretAccessKey !== DEFAULTS.secret) {
    return " --dev-server URL";
  }
  return ` --dev-server ${region === DEFAULTS.region ? endpoint : `'${endpoint}?region=${region}'`}`;
}

const DEFAULTS = { id: "test", secret: "test", region: "us-west-2" } as const;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidArgumentError("Percent-encode what the credentials in it have beside letters and digits.");
  }
}

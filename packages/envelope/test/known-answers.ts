import { createSecretKey, type KeyObject } from "node:crypto";

export const key = (hex: string): KeyObject => createSecretKey(Buffer.from(hex, "hex"));

/** Ascending bytes from `first` on. */
export const ascending = (first: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => first + index));

/** docs/formats.md 7.1: the official known answers of the V3 derivation, with a body under each. */
export const DERIVATIONS: readonly Record<
  "dataKey" | "messageId" | "contentKey" | "commitment" | "body" | "emptyBody",
  string
>[] = [
  {
    dataKey: "80d90dc4cc7e77d8a6332efa44eba56230a7fe7b89af37d1e501ab2e07c0a163",
    messageId: "b8ea76bed24c7b85382a148cb9dcd1cfdfb765f55ded4dfa6e0c4c79",
    contentKey: "6dd14f546cc006e639126e83f5d4d1b118576bb5df97f38c6fb3a1db87bbc338",
    commitment: "f89818bc0a346d3a3426b68e9509b6b2ae5fe1f904aa329fb73625db",
    body: "ea3eed752d4a93ce3fec0c5baaadd51ff663b3b80f2e4facf4f73f101dc591ba0634f10c5053b1089e5c4240465b272add92745e962cf95cec795c13bf697ace06fe971a50bb6061",
    emptyBody: "c83916237f9a697e8473d528860a96e3",
  },
  {
    dataKey: "501afb8227d22e75e68010414b8abdaf3064c081e8e922dafef4992036394d60",
    messageId: "61a00b4981a5aacfd136c55cb726e32d2a547dc7600a7d4675c69127",
    contentKey: "e14786a714748d1d2c3a4a6816dec56ddf1881bbeabb4f39420ffb9f63700b2f",
    commitment: "5c1e73e47f6fe3a70d6d094283aceaa76d2975feb829212d88f0afc1",
    body: "b610ad45bcbc1f4edf30e8adf57517276bbc1c049f0f2f8a5a85864c0a625186c65ff11361999e60a613f62219f64c38712e01ea36eb25e02f73f64646542acd2c8a080c5a7bc49a",
    emptyBody: "89bef986f6b4a12b314d07fe384c4426",
  },
];

export const DERIVATION_TEXT = "Hello, World! This plaintext spans three AES blocks, ok.";

/** docs/formats.md 7.3: bodies under one data key, made by the JDK. base64. */
export const DATA_KEY = createSecretKey(ascending(0x20, 32));
export const CBC_IV = ascending(0xa0, 16);
export const GCM_IV = ascending(0xb0, 12);
export const MESSAGE_ID = ascending(0xc0, 28);
export const COMMITMENT = Buffer.from("uP4GizuJ1vZw9Dxh/U75rXHSAPEZG9+6gdN8cg==", "base64");
export const BODIES: readonly Record<"text" | "cbc" | "gcm" | "committing", string>[] = [
  {
    text: "The quick brown fox jumps over the lazy dog",
    cbc: "OJ4AEKR7NAvklWXsh1Kb3NaC+Dp99VhOgWkRyRb3G9iq+BK8GNgtxsgINuwVqkJK",
    gcm: "YpJPZ+NWoW1ZLX+IbErzFvBc2rvgPflBk2TALrBVLat8qHGYtIdvBqULfKxWM/H0eAe94iipZnWkqKo=",
    committing: "RR2ubQNJ9xhAax6eVnxphsbpoF0dMF//VXL2+C8qYZXbVzhtP47mPiKIf8MyJHJp8Y4KjwVYmHAMGmE=",
  },
  {
    text: "",
    cbc: "d1mZIfc5OgYaNokNr4aqww==",
    gcm: "xJo/2x4GIeGrel4RKQcb6Q==",
    committing: "00obVeDEel1JuyVycGvYQg==",
  },
];

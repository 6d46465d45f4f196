import { createPrivateKey, type KeyObject } from "node:crypto";
import {
  type AlgorithmSuite,
  CBC,
  COMMITTING_GCM,
  type EncryptedDataKey,
  GCM,
  RSA_OAEP_SHA1,
  RSA_OAEP_SHA256,
  RSA_PKCS1,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import { bytes, encryptedDataKey } from "@s3ec/test-support";

export const DATA_KEY: Uint8Array = bytes(0x20, 32);

/** RSA-2048 for these wraps only (docs/formats.md 7.2); it protects nothing. PKCS#8 DER. */
export const PRIVATE_KEY_DER: Buffer = Buffer.from(
  [
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDIGmpI/mga2TsU98x8rWq4AyDjFz0/X21B/7qunR3vKglr3n7y",
    "7Cv1BQrCkZexZFmnzq6Iyo1alL2sTzxSNL4Mjy/TRAMoDWWjN28nlZrezJ1M1uYJTWB3U8KoSYa5Jdfs//Jrv0meiScp00i+A5la",
    "YsqoZEcqlRwyeVBz9MyNrj6F40bymvP/N97V36tGW1KoFQsOnK4F22n2YRiZNpY0dVTP74StU+rf4OAx6aCTVbApu0dwD2K0Fhgq",
    "lXoTg+IouRWsQfP/te21qibA9GqevCFEU9PQCkOXiC+ElEWxw2xLNvALi11KwAkSwdcZmjBLu2FBIy0+zHO/wwqWLYmJAgMBAAEC",
    "ggEAUb20qC/AsCMIBwc40b93hkbE4u9l1iLxu1GvXVASX9YAtj9UBYDjbfpKzHN0D4NqOmnsEzYG6zcyihZuEji4X+IIC9nPHkfm",
    "undVIUr0UkosgayRmMAyhVxCesNaVPy4CXj+evRPqwLk7CmCoBhRR0Ju/b3E8oip1ZaH/m5ENyV7OVOD643JhZMtSz7WllCJy17V",
    "6w1O2RwAZp9dBPQcsfWXgyHQwcsXiOqbkDyU6vtKEUqQNg8y89EmRBZ1q6iLS43erfVi9xrh6DGon8BjHQwP+xHApHaI5Mksbl0w",
    "XH9+8IDwxW5y8sOWFoeMbrFjLRdw/jHITv18eu6QLg//BwKBgQDkuvlmtesuV/H0MqkmRtKkNTLmw2HA7kloWG6+LVgVJJkdFXKN",
    "TWBSKz+S/k6yuuxPgQBLsLzSwUBTfnS8VoGEDj7IlBS01zBNGv0dfzvMYOMmdhHWVsfsDrVUwriZVAMQMiIpzKcfYSzgwWqJwNYF",
    "+bUSgalsnsmjnzRaGlFHvwKBgQDf9beoFf/53skoNexGGF7+OpLqGlhRMTCAzPP1VYju+yyKzLwgh8aQYaVp4XeuOd6lTBuQTY80",
    "/Gude71tpbGs9+widRHzmKITTfc1bl4xSIqcWNMLiHsWLVgfrFT8ES1QfnaDkD3cpDzLx/11elUA6lacpZUuo0/d/lLT4LzAtwKB",
    "gF65hDHiIwylRUGRfXWpnPB+S58/yQsCZAo/nVVLKBBRgMuHp1IXek1tNb3lbagdO2JNlVbDUd+iQsaRNz0MQkTzNVMR6GVgPNOh",
    "2rNNjvE8KrYx7X8rn04GZVg97/8nyMD7UiSnaYrYTqKh10JHRxtgZ3nLkuO1+uG1PBQYlBK3AoGBAKmsLAbhG/w/J+EZ8TYtspIi",
    "6DkJ2o0wmhGKtOzSb5q2mklR0NlIZEvwXnR4B8bsOty6a0uJJwy6jAFUxO+0D4b+kVyNmxsVMP01HSvSwPPPhIvs038yWCY2FkRw",
    "uDX8AXuxQ7Jq7iMiHpk4m7KMCqhV4WZuIDakLZb+3dt9sSLDAoGAEY3gSgZF5WLGmVvb2iv1Os5XPCkGEcGUoCNlWxv8T34Cxgoy",
    "PS+sFis475Ob7q2yxNtYQweA2zi1WK2HgFNsRaD0dTeNe5mq0WpEwV78dX+y4h1gqpZX2pwRy9sY70SZVkhm7lcbLjGjKS7E0CNA",
    "JgmWYz1Ry1f2p+Y6858S5hY=",
  ].join(""),
  "base64",
);

export const PRIVATE_KEY: KeyObject = createPrivateKey({ key: PRIVATE_KEY_DER, format: "der", type: "pkcs8" });

/** The data key as the JDK wraps it under the key above (docs/formats.md 7.2). */
export const KNOWN_WRAPS: readonly { what: string; wrap: WrapAlgorithm; suite: AlgorithmSuite; value: string }[] = [
  {
    what: "no wrap-alg (PKCS#1 v1.5), V1",
    wrap: RSA_PKCS1,
    suite: CBC,
    value: [
      "ouSddkTcbs00bJcsb2Y9imQQXRFXDLM4BAwdo+MokKRQ7J5JgF1QubAyM/jnY2QVdz7/T98IgXoJnR94N153tZ5TkmfvzFqed3lq",
      "Fc4uj148TwH1DXZoTwPhK1nxmx7gGd+aEYslK2ek0K89nRl5FKcIxD+WzSCSoxG7OSg1Pqyd6XzIwP23i2iSjfg9mF2bvd+FDAti",
      "lZpbfgweB3vwpeL38ZUMrYf1sdiBI7QsePEohd6PoAyzgOddLCe1Ay7y3cdN+OlLwSvup0h3RvRLnUd+Ezjm5XYmyO+63EkWBS+K",
      "H3slSJ+UCkcqWEw4jhDd3wApBg1Qv4lTyMz9Y8GRJg==",
    ].join(""),
  },
  {
    what: "OAEP-SHA-256 of SunJCE, MGF1-SHA-1",
    wrap: RSA_OAEP_SHA256,
    suite: GCM,
    value: [
      "PJQboFPbI5zPwFm2rEkg5KjoKHOYwBrEfTqFB0eOHQ9CKH+WuygqMqLGMFskL/P5CfE03N1mH5ausNurqHu4t+B2C6pAR961OshL",
      "3veQP8iZqsvFruPO6gPJVlCvZh8LM2Uv+VcgvG/z78MVq0VJmaAXeaLyPT7ZvwK+92b1nbyc7bECNTtE0kMme1a2/jzQBLcqU86D",
      "5khpuI1Dp09cpqX7fbinJN9QNQS4qabko3mlGGr0LxrhHwq+DbQg7whfD3mLpFtPp++GauHgu+3kxbL/60IPwsMl4xN50EXiOALq",
      "8zb0FlsoPEJcEU6T42qoJkYuIG7IAUmk4YWKLflkmg==",
    ].join(""),
  },
  {
    what: "OAEP-SHA-256 of BouncyCastle, MGF1-SHA-256",
    wrap: RSA_OAEP_SHA256,
    suite: GCM,
    value: [
      "jhsGOgAMxxnb7O5Q+g8HmGfSjHrte6lOHFepUqNIfqo6sYnoo1ZlbDboMlkGDzZS5bzmdvUGETP8x8Y0vF23Ff7g5DliSnF3/HJH",
      "k6vN7nZ3KiOTObYCChS1VBCOvn89BGeCJxBbQXrUdFVnKOCx5sgP8Od8N5yz/ZJUZUMzEJdTAZTPCFV7aHB7LfXhf1lbWGlIZTTU",
      "UibkSQYslqWZ4RLbo044gfuDglJEacco1MtVP+p0w2K3WrtrO6nMZUmgdm/yDKEUNd9A1FsomgkxLgDqW4b8h2o5wqzNBhrC+9P/",
      "iy70XMk1fa3iT0yrarzhKtD6RXgd+uLH0TfVuEJP6w==",
    ].join(""),
  },
  {
    what: "RSA-OAEP-SHA1 bound to AES/GCM/NoPadding",
    wrap: RSA_OAEP_SHA1,
    suite: GCM,
    value: [
      "gYlxlbqlNmeQKLKVx97oRwJzkVDbLZJpLLsPrc1F5BQVn2AIHCCyNwdG3bzi1X7+DzyMZysjToQd9v2+ZQbhbU1XQFzI878yZQlv",
      "dtvlp0KGrYr8zazUgOxxjq0gdVB2QyEjFGqqDYLk9SdUCK9C1CVkjym9Qj2P14Dp4Wvv39DuNh+S1g/vKpGY81Sv7psLE0R4x5xV",
      "ksGCJBrbj4dleHECVx3ycqVi9Y79EnpobUO20uKtXtxRNnJ5J5Bljg8Rtc/Qw7rolfQn+4wpKf9yK9bdT/fXTFWLvn0X3SlzlAjV",
      "/W38W4eGAfKp6j27kd1dY+nbGFMhxKxMSrh2IhMNvg==",
    ].join(""),
  },
  {
    what: "RSA-OAEP-SHA1 bound to 115",
    wrap: RSA_OAEP_SHA1,
    suite: COMMITTING_GCM,
    value: [
      "YpR4eRvoq9EFmedBa1m66QGH3m5fZnor0NvNY4CJVVfANUdIzGsEBI/9QS3gwf1U2XzC0F9IN5UVfGug9arXu+wPhNj5dJ4WvDT1",
      "NOeqhpTmwpSBzHt0QV5bQroZCM1ehiVwiqFJKkbCB6BCS9/dj62lDLOM52HW3qrwlNpj84i12vqZYjEHpI3qswGb8bMlVMloRtgU",
      "ybYSoOsgDl9gsXhLABFkQDQjHsteFszYatWtlx7VaxZgGxl8UZfCkKDdv0WDs2iLnq6ZlVntfVu+EWhzrE71HYn2LaudS1D8Hk8C",
      "15RjeB6TDTo+0vggXkLAaMrUihJ2Q45Ms0y6FHBZlA==",
    ].join(""),
  },
];

export function known(what: string): { suite: AlgorithmSuite; key: EncryptedDataKey } {
  const entry = KNOWN_WRAPS.find((row) => row.what.includes(what));
  if (entry === undefined) throw new Error(`No known wrap called ${what}`);
  return { suite: entry.suite, key: encryptedDataKey(entry.wrap, Buffer.from(entry.value, "base64")) };
}

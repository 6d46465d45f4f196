"""Reads one job a line on stdin and answers one line a job on stdout: messages of the AWS Encryption SDK for Python."""

import base64
import hashlib
import json
import sys
from functools import lru_cache
from pathlib import Path

import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateAwsKmsKeyringInput,
    CreateMultiKeyringInput,
    CreateRawAesKeyringInput,
    CreateRawRsaKeyringInput,
    PaddingScheme,
)
from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

POLICIES = {
    "forbid-allow": CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
    "require-allow": CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT,
    "require-require": CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
}
AES_WRAPS = {
    16: AesWrappingAlg.ALG_AES128_GCM_IV12_TAG16,
    24: AesWrappingAlg.ALG_AES192_GCM_IV12_TAG16,
    32: AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
}
PADDINGS = {
    "pkcs1": PaddingScheme.PKCS1,
    "oaep-sha1": PaddingScheme.OAEP_SHA1_MGF1,
    "oaep-sha256": PaddingScheme.OAEP_SHA256_MGF1,
    "oaep-sha384": PaddingScheme.OAEP_SHA384_MGF1,
    "oaep-sha512": PaddingScheme.OAEP_SHA512_MGF1,
}
SUITES = {suite.algorithm_id: suite for suite in AlgorithmSuite}
PROVIDERS = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def plaintext(seed, length):
    """The first bytes of SHA-256(be32(seed) || be32(0)) || SHA-256(be32(seed) || be32(1)) || ..."""
    blocks = (
        hashlib.sha256(seed.to_bytes(4, "big") + block.to_bytes(4, "big")).digest()
        for block in range((length + 31) // 32)
    )
    return b"".join(blocks)[:length]


@lru_cache(maxsize=None)
def kms_client(endpoint, region):
    return boto3.client("kms", endpoint_url=endpoint, region_name=region)


@lru_cache(maxsize=None)
def client(policy):
    return EncryptionSDKClient(commitment_policy=POLICIES[policy])


@lru_cache(maxsize=None)
def keyring(description, endpoint, region):
    """The keyring of src/messages/message-job.ts; `description` is its JSON, so that it can be cached by it."""
    described = json.loads(description)
    if described["type"] == "multi":
        members = [keyring(json.dumps(member), endpoint, region) for member in described["members"]]
        return PROVIDERS.create_multi_keyring(CreateMultiKeyringInput(generator=members[0], child_keyrings=members[1:]))
    if described["type"] == "kms":
        kms = kms_client(endpoint, region)
        return PROVIDERS.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=described["keyId"], kms_client=kms))
    named = {"key_namespace": described["namespace"], "key_name": described["name"]}
    if described["type"] == "aes":
        key = base64.b64decode(described["key"])
        return PROVIDERS.create_raw_aes_keyring(
            CreateRawAesKeyringInput(wrapping_key=key, wrapping_alg=AES_WRAPS[len(key)], **named)
        )
    return PROVIDERS.create_raw_rsa_keyring(
        CreateRawRsaKeyringInput(
            padding_scheme=PADDINGS[described["padding"]],
            public_key=described["publicKey"].encode(),
            private_key=described["privateKey"].encode(),
            **named,
        )
    )


def run(job):
    keys = keyring(json.dumps(job["keyring"]), job["kms"]["endpoint"], job["kms"]["region"])
    if job["op"] == "encrypt":
        body = plaintext(job["body"]["seed"], job["body"]["length"])
        message, _ = client(job["policy"]).encrypt(
            source=body,
            keyring=keys,
            algorithm=SUITES[job["suite"]],
            frame_length=job["frameLength"],
            encryption_context=job["encryptionContext"],
        )
        Path(job["file"]).write_bytes(message)
        return body
    message = Path(job["file"]).read_bytes()
    if job.get("streamed"):
        with client(job["policy"]).stream(
            mode="decrypt", source=message, keyring=keys, encryption_context=job["encryptionContext"]
        ) as stream:
            return b"".join(iter(lambda: stream.read(job["streamed"]), b""))
    return client(job["policy"]).decrypt(
        source=message, keyring=keys, encryption_context=job["encryptionContext"]
    )[0]


def answer(job):
    try:
        body = run(job)
        return {"id": job["id"], "ok": True, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    except Exception as failure:
        return {"id": job["id"], "ok": False, "error": type(failure).__name__, "message": str(failure)}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

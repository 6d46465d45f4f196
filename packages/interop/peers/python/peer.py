"""Reads one job a line on stdin and answers one line a job on stdout."""

import hashlib
import json
import sys
import time
from functools import lru_cache

import boto3
from botocore.config import Config
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy


def plaintext(seed, length):
    """The first bytes of SHA-256(be32(seed) || be32(0)) || SHA-256(be32(seed) || be32(1)) || ..."""
    blocks = (
        hashlib.sha256(seed.to_bytes(4, "big") + block.to_bytes(4, "big")).digest()
        for block in range((length + 31) // 32)
    )
    return b"".join(blocks)[:length]


@lru_cache(maxsize=None)
def encryption_client(s3_endpoint, kms_endpoint, region, key_id, operation, suite, legacy, delayed):
    s3 = boto3.client(
        "s3", endpoint_url=s3_endpoint, region_name=region, config=Config(s3={"addressing_style": "path"})
    )
    kms = boto3.client("kms", endpoint_url=kms_endpoint, region_name=region)
    options = {}
    if operation == "put" and suite == "gcm":
        options["commitment_policy"] = CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
        options["encryption_algorithm"] = AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF
    elif legacy:
        options["commitment_policy"] = CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT
    return S3EncryptionClient(
        s3,
        S3EncryptionClientConfig(
            keyring=KmsKeyring(kms, key_id, enable_legacy_wrapping_algorithms=legacy),
            enable_legacy_unauthenticated_modes=legacy,
            enable_delayed_authentication=delayed,
            **options,
        ),
    )


def run(job):
    if job["keyring"]["type"] != "kms":
        raise ValueError(f"the Python client has no {job['keyring']['type']} keyring")
    client = encryption_client(
        job["s3"]["endpoint"],
        job["kms"]["endpoint"],
        job["s3"]["region"],
        job["keyring"]["keyId"],
        job["op"],
        job.get("suite"),
        job.get("legacy", False),
        job.get("delayedAuthentication", False),
    )
    request = {"Bucket": job["bucket"], "Key": job["key"]}
    if job.get("encryptionContext"):
        request["EncryptionContext"] = job["encryptionContext"]
    if job["op"] == "put":
        body = plaintext(job["body"]["seed"], job["body"]["length"])
        start = time.monotonic()
        client.put_object(Body=body, **request)
        return body, time.monotonic() - start
    if "instructionFileSuffix" in job:
        request["InstructionFileSuffix"] = job["instructionFileSuffix"]
    start = time.monotonic()
    return client.get_object(**request)["Body"].read(), time.monotonic() - start


def answer(job):
    try:
        # Seconds are of the client's own call, without what makes and hashes the plaintext.
        body, seconds = run(job)
        digest = hashlib.sha256(body).hexdigest()
        return {"id": job["id"], "ok": True, "length": len(body), "sha256": digest, "seconds": seconds}
    except Exception as failure:
        return {"id": job["id"], "ok": False, "error": type(failure).__name__, "message": str(failure)}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

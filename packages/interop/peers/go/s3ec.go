package main

import (
	"bytes"
	"context"
	"io"

	clientv3 "github.com/aws/amazon-s3-encryption-client-go/v3/client"
	materialsv3 "github.com/aws/amazon-s3-encryption-client-go/v3/materials"
	"github.com/aws/amazon-s3-encryption-client-go/v4/algorithms"
	clientv4 "github.com/aws/amazon-s3-encryption-client-go/v4/client"
	"github.com/aws/amazon-s3-encryption-client-go/v4/commitment"
	materialsv4 "github.com/aws/amazon-s3-encryption-client-go/v4/materials"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// encryptingS3 is what the clients of generation 3 and 4 have in common.
type encryptingS3 interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

type s3ecClient struct{ s3 encryptingS3 }

func newV3(j *job) (client, error) {
	plain, keys, err := sdkClients(j)
	if err != nil {
		return nil, err
	}
	keyring := materialsv3.NewKmsKeyring(keys, j.Keyring.KeyID, func(o *materialsv3.KeyringOptions) {
		o.EnableLegacyWrappingAlgorithms = j.Legacy
	})
	manager, err := materialsv3.NewCryptographicMaterialsManager(keyring)
	if err != nil {
		return nil, err
	}
	encrypting, err := clientv3.New(plain, manager, func(o *clientv3.EncryptionClientOptions) {
		o.EnableLegacyUnauthenticatedModes = j.Legacy
	})
	return &s3ecClient{encrypting}, err
}

func newV4(j *job) (client, error) {
	plain, keys, err := sdkClients(j)
	if err != nil {
		return nil, err
	}
	keyring := materialsv4.NewKmsKeyring(keys, j.Keyring.KeyID, func(o *materialsv4.KeyringOptions) {
		o.EnableLegacyWrappingAlgorithms = j.Legacy
	})
	manager, err := materialsv4.NewCryptographicMaterialsManager(keyring)
	if err != nil {
		return nil, err
	}
	encrypting, err := clientv4.New(plain, manager, func(o *clientv4.EncryptionClientOptions) {
		o.EnableLegacyUnauthenticatedModes = j.Legacy
		switch {
		case j.Op == "put" && j.Suite == "gcm":
			o.CommitmentPolicy = commitment.FORBID_ENCRYPT_ALLOW_DECRYPT
			o.EncryptionAlgorithmSuite = algorithms.AlgAES256GCMIV12Tag16NoKDF
		case j.Legacy:
			o.CommitmentPolicy = commitment.REQUIRE_ENCRYPT_ALLOW_DECRYPT
		}
	})
	return &s3ecClient{encrypting}, err
}

func sdkClients(j *job) (*s3.Client, *kms.Client, error) {
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(j.S3.Region))
	if err != nil {
		return nil, nil, err
	}
	plain := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.BaseEndpoint = aws.String(j.S3.Endpoint)
		o.UsePathStyle = true
	})
	keys := kms.NewFromConfig(cfg, func(o *kms.Options) { o.BaseEndpoint = aws.String(j.KMS.Endpoint) })
	return plain, keys, nil
}

func (c *s3ecClient) put(ctx context.Context, j *job, plaintext []byte) error {
	_, err := c.s3.PutObject(withContext(ctx, j), &s3.PutObjectInput{
		Bucket: aws.String(j.Bucket), Key: aws.String(j.Key), Body: bytes.NewReader(plaintext),
	})
	return err
}

func (c *s3ecClient) get(ctx context.Context, j *job) ([]byte, error) {
	out, err := c.s3.GetObject(withContext(ctx, j), &s3.GetObjectInput{
		Bucket: aws.String(j.Bucket), Key: aws.String(j.Key),
	})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// withContext passes the encryption context as both generations look it up: by the plain string.
func withContext(ctx context.Context, j *job) context.Context {
	if len(j.EncryptionContext) == 0 {
		return ctx
	}
	return context.WithValue(ctx, "EncryptionContext", j.EncryptionContext)
}

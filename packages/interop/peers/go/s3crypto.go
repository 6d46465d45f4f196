package main

import (
	"bytes"
	"context"
	"io"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/kms"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/s3/s3crypto"
)

// s3CryptoClient is aws-sdk-go's s3crypto: its V1 API (go-s3crypto-v1) and its V2 API (go-s3crypto-v2).
type s3CryptoClient struct {
	session *session.Session
	kms     *kms.KMS
}

func newS3Crypto(j *job) (client, error) {
	s, err := session.NewSession(&aws.Config{
		Endpoint:         aws.String(j.S3.Endpoint),
		Region:           aws.String(j.S3.Region),
		S3ForcePathStyle: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	return &s3CryptoClient{session: s, kms: kms.New(s, &aws.Config{Endpoint: aws.String(j.KMS.Endpoint)})}, nil
}

func (c *s3CryptoClient) put(ctx context.Context, j *job, plaintext []byte) error {
	input := &s3.PutObjectInput{
		Bucket: aws.String(j.Bucket), Key: aws.String(j.Key), Body: bytes.NewReader(plaintext),
	}
	var save s3crypto.SaveStrategy = s3crypto.HeaderV2SaveStrategy{}
	if j.Placement == "instruction-file" {
		save = s3crypto.S3SaveStrategy{Client: s3.New(c.session), InstructionFileSuffix: j.InstructionFileSuffix}
	}
	if j.Client == "go-s3crypto-v2" {
		handler := s3crypto.NewKMSContextKeyGenerator(c.kms, j.Keyring.KeyID, description(j.EncryptionContext))
		encrypting, err := s3crypto.NewEncryptionClientV2(c.session, s3crypto.AESGCMContentCipherBuilderV2(handler),
			func(o *s3crypto.EncryptionClientOptions) { o.SaveStrategy = save })
		if err != nil {
			return err
		}
		_, err = encrypting.PutObjectWithContext(ctx, input)
		return err
	}
	handler := s3crypto.NewKMSKeyGeneratorWithMatDesc(c.kms, j.Keyring.KeyID, description(j.MaterialDescription))
	builder := s3crypto.AESGCMContentCipherBuilder(handler)
	if j.Suite == "cbc" {
		builder = s3crypto.AESCBCContentCipherBuilder(handler, s3crypto.AESCBCPadder)
	}
	encrypting := s3crypto.NewEncryptionClient(c.session, builder,
		func(e *s3crypto.EncryptionClient) { e.SaveStrategy = save })
	_, err := encrypting.PutObjectWithContext(ctx, input)
	return err
}

func (c *s3CryptoClient) get(ctx context.Context, j *job) ([]byte, error) {
	input := &s3.GetObjectInput{Bucket: aws.String(j.Bucket), Key: aws.String(j.Key)}
	var load s3crypto.LoadStrategy // nil: metadata first, then the default instruction file
	if j.InstructionFileSuffix != "" {
		load = s3crypto.S3LoadStrategy{Client: s3.New(c.session), InstructionFileSuffix: j.InstructionFileSuffix}
	}
	var out *s3.GetObjectOutput
	var err error
	if j.Client == "go-s3crypto-v2" {
		out, err = c.getV2(ctx, j, input, load)
	} else {
		decrypting := s3crypto.NewDecryptionClient(c.session, func(d *s3crypto.DecryptionClient) {
			if load != nil {
				d.LoadStrategy = load
			}
			// Its defaults reach KMS at the session's endpoint, which is S3's.
			d.WrapRegistry["kms"] = s3crypto.NewKMSWrapEntry(c.kms)
			d.WrapRegistry["kms+context"] = kmsContextWrap(c.kms)
		})
		out, err = decrypting.GetObjectWithContext(ctx, input)
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

func (c *s3CryptoClient) getV2(
	ctx context.Context, j *job, input *s3.GetObjectInput, load s3crypto.LoadStrategy,
) (*s3.GetObjectOutput, error) {
	registry := s3crypto.NewCryptoRegistry()
	if err := s3crypto.RegisterAESGCMContentCipher(registry); err != nil {
		return nil, err
	}
	if err := s3crypto.RegisterKMSContextWrapWithCMK(registry, c.kms, j.Keyring.KeyID); err != nil {
		return nil, err
	}
	if j.Legacy {
		if err := s3crypto.RegisterAESCBCContentCipher(registry, s3crypto.AESCBCPadder); err != nil {
			return nil, err
		}
		if err := s3crypto.RegisterKMSWrapWithCMK(registry, c.kms, j.Keyring.KeyID); err != nil {
			return nil, err
		}
	}
	decrypting, err := s3crypto.NewDecryptionClientV2(c.session, registry, func(o *s3crypto.DecryptionClientOptions) {
		if load != nil {
			o.LoadStrategy = load
		}
	})
	if err != nil {
		return nil, err
	}
	return decrypting.GetObjectWithContext(ctx, input)
}

// kmsContextWrap is the entry that NewDecryptionClient registers itself, with our KMS.
func kmsContextWrap(client *kms.KMS) s3crypto.WrapEntry {
	registry := s3crypto.NewCryptoRegistry()
	if err := s3crypto.RegisterKMSContextWrapWithAnyCMK(registry, client); err != nil {
		panic(err)
	}
	entry, _ := registry.GetWrap("kms+context")
	return entry
}

func description(entries map[string]string) s3crypto.MaterialDescription {
	converted := s3crypto.MaterialDescription{}
	for key, value := range entries {
		converted[key] = aws.String(value)
	}
	return converted
}

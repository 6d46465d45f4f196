package main

import (
	"crypto/sha256"
	"encoding/binary"
)

type endpoint struct {
	Endpoint string `json:"endpoint"`
	Region   string `json:"region"`
}

// job is what src/objects/job.ts describes.
type job struct {
	ID      string   `json:"id"`
	Op      string   `json:"op"`
	Client  string   `json:"client"`
	S3      endpoint `json:"s3"`
	KMS     endpoint `json:"kms"`
	Bucket  string   `json:"bucket"`
	Key     string   `json:"key"`
	Keyring struct {
		Type  string `json:"type"`
		KeyID string `json:"keyId"`
	} `json:"keyring"`
	Suite                 string            `json:"suite"`
	Placement             string            `json:"placement"`
	InstructionFileSuffix string            `json:"instructionFileSuffix"`
	EncryptionContext     map[string]string `json:"encryptionContext"`
	MaterialDescription   map[string]string `json:"materialDescription"`
	Legacy                bool              `json:"legacy"`
	Body                  body              `json:"body"`
}

type body struct {
	Seed   uint32 `json:"seed"`
	Length int    `json:"length"`
}

// plaintext is the first bytes of SHA-256(be32(seed) || be32(0)) || SHA-256(be32(seed) || be32(1)) || ...
func (b body) plaintext() []byte {
	plaintext := make([]byte, 0, b.Length+sha256.Size)
	for block := uint32(0); len(plaintext) < b.Length; block++ {
		var counter [8]byte
		binary.BigEndian.PutUint32(counter[:4], b.Seed)
		binary.BigEndian.PutUint32(counter[4:], block)
		digest := sha256.Sum256(counter[:])
		plaintext = append(plaintext, digest[:]...)
	}
	return plaintext[:b.Length]
}

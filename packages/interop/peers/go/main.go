// Reads one job a line on stdin and answers one line a job on stdout.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"
)

type answer struct {
	ID      string `json:"id"`
	OK      bool   `json:"ok"`
	Length  int    `json:"length"`
	SHA256  string `json:"sha256,omitempty"`
	// Of the client's own call, without what makes and hashes the plaintext.
	Seconds float64 `json:"seconds,omitempty"`
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
}

// client is one of the four clients: two generations of two libraries.
type client interface {
	put(ctx context.Context, j *job, plaintext []byte) error
	get(ctx context.Context, j *job) ([]byte, error)
}

func main() {
	log.SetOutput(io.Discard)
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(err)
		}
		var j job
		if err := json.Unmarshal(line, &j); err != nil {
			panic(err)
		}
		if err := answers.Encode(run(&j)); err != nil {
			panic(err)
		}
	}
}

func run(j *job) (result answer) {
	defer func() {
		if problem := recover(); problem != nil {
			result = answer{ID: j.ID, Error: "panic", Message: fmt.Sprint(problem)}
		}
	}()
	plaintext, took, err := perform(j)
	if err != nil {
		return answer{ID: j.ID, Error: fmt.Sprintf("%T", err), Message: err.Error()}
	}
	digest := sha256.Sum256(plaintext)
	return answer{ID: j.ID, OK: true, Length: len(plaintext), SHA256: hex.EncodeToString(digest[:]), Seconds: took.Seconds()}
}

func perform(j *job) ([]byte, time.Duration, error) {
	if j.Keyring.Type != "kms" {
		return nil, 0, fmt.Errorf("the Go clients have no %s keyring", j.Keyring.Type)
	}
	c, err := newClient(j)
	if err != nil {
		return nil, 0, err
	}
	ctx := context.Background()
	if j.Op == "get" {
		start := time.Now()
		plaintext, err := c.get(ctx, j)
		return plaintext, time.Since(start), err
	}
	plaintext := j.Body.plaintext()
	start := time.Now()
	err = c.put(ctx, j, plaintext)
	return plaintext, time.Since(start), err
}

func newClient(j *job) (client, error) {
	switch {
	case strings.HasPrefix(j.Client, "go-s3crypto-"):
		return newS3Crypto(j)
	case j.Client == "go-v3":
		return newV3(j)
	case j.Client == "go-v4":
		return newV4(j)
	}
	return nil, fmt.Errorf("unknown client %s", j.Client)
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/workerman-go/workerman"
	"github.com/workerman-go/workerman/web"
)

// contents are those of a form.
type contents struct {
	Fields map[string]string `json:"fields"`
	Files  []file            `json:"files"`
}

type file struct {
	Field  string `json:"field"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// form answers with the fields and files of a form, of either type that browsers send.
func form(c *workerman.Conn, r *web.Request) {
	if r.ContentType() != "application/x-www-form-urlencoded" {
		if _, err := r.Multipart(); err != nil {
			var refused *web.Error
			errors.As(err, &refused)
			c.Respond(refused.Response())
			return
		}
	}
	answer := contents{Fields: object(r.FormAll()), Files: []file{}}
	for _, upload := range r.Uploads() {
		sum, err := hash(upload)
		if err != nil {
			c.Respond(web.Status(500))
			return
		}
		answer.Files = append(answer.Files, file{upload.Field, upload.Name, upload.Size, sum})
	}
	c.Respond(web.JSON(answer))
}

// hash reads an upload, which may be in memory or on the disk. That takes a few
// milliseconds for the 10 MiB that are allowed; more would be work for workerman.Async.
func hash(upload *web.Upload) (string, error) {
	from, err := upload.Open()
	if err != nil {
		return "", err
	}
	defer from.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, from); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

package master

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Description is what a program writes when it is asked to describe itself.
type Description struct {
	Plan  *Plan  `json:"plan,omitempty"`
	Error string `json:"error,omitempty"`
}

// examine opens the program on the disk and asks it what it wants to run. What cannot
// answer in time is not run.
func (s *Supervisor) examine() (*image, Plan, error) {
	img, err := openImage(s.options.Program)
	if err != nil {
		return nil, Plan{}, err
	}
	plan, err := s.describe(img)
	if err != nil {
		img.close()
		return nil, Plan{}, err
	}
	return img, plan, nil
}

func (s *Supervisor) describe(img *image) (Plan, error) {
	answer, answerEnd, err := os.Pipe()
	if err != nil {
		return Plan{}, err
	}
	defer answer.Close()
	said, saidEnd, err := os.Pipe()
	if err != nil {
		answerEnd.Close()
		return Plan{}, err
	}
	defer said.Close()
	child, err := s.launch(img, RoleDescribe, s.options.Args[0], nil, nil, saidEnd, answerEnd)
	answerEnd.Close()
	saidEnd.Close()
	if err != nil {
		return Plan{}, fmt.Errorf("the program does not start: %w", err)
	}
	deadline := time.Now().Add(s.options.Ready)
	answer.SetReadDeadline(deadline)
	said.SetReadDeadline(deadline)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-s.stopped:
			answer.SetReadDeadline(time.Now())
		case <-done:
		}
	}()
	text := make(chan string, 1)
	go func() { text <- lastWords(said) }()
	b, readErr := io.ReadAll(answer)
	child.Kill() // it has said everything, or too little for too long
	state, err := child.Wait()
	said.SetReadDeadline(time.Now().Add(time.Second)) // grandchildren may hold it open
	words := <-text
	var d Description
	switch {
	case s.stopping():
		return Plan{}, errStopped
	case errors.Is(readErr, os.ErrDeadlineExceeded):
		return Plan{}, fmt.Errorf("the program does not come to RunAll within %v", s.options.Ready)
	case len(b) > 0 && json.Unmarshal(b, &d) == nil && d.Error != "":
		return Plan{}, errors.New(d.Error)
	case d.Plan != nil:
		return *d.Plan, CheckPlan(*d.Plan)
	case err != nil:
		return Plan{}, err
	}
	reason := "it ended without a call of RunAll"
	if !state.Success() {
		reason = "it ended with " + cause(state, "", "")
	}
	if words != "" {
		reason += ": " + words
	}
	return Plan{}, errors.New("the program does not start: " + reason)
}

// lastWords reads what a program says and returns the line that tells most: that of a
// panic, or the last one.
func lastWords(r io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(r, 64<<10))
	io.Copy(io.Discard, r)
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
			return strings.TrimSpace(string(line))
		}
	}
	text := strings.TrimSpace(string(b))
	return text[strings.LastIndexByte(text, '\n')+1:]
}

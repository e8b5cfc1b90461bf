package master

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/workerman-go/workerman/internal/control"
)

// Client asks the master of a pid file.
type Client struct {
	pidFile string
	http    *http.Client
}

// silence is how long a master may say nothing. It says something each second while a command
// goes on, and gives up on a process sooner.
const silence = 10 * time.Second

// patientConn is a connection whose reads fail after silence.
type patientConn struct{ net.Conn }

func (c patientConn) Read(b []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(silence))
	return c.Conn.Read(b)
}

// NewClient returns a client for the master of a pid file.
func NewClient(pidFile string) *Client {
	dial := func(context.Context, string, string) (net.Conn, error) {
		conn, err := DialSocket(SocketPath(pidFile))
		if err != nil {
			return nil, err
		}
		return patientConn{conn}, nil
	}
	return &Client{pidFile, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// do sends a request. The error is ErrNotRunning if there is no master.
func (c *Client) do(ctx context.Context, method, path string, query url.Values) (*http.Response, error) {
	pid, err := MasterOf(c.pidFile)
	if err != nil {
		return nil, err
	}
	if suspended(pid) {
		return nil, silent(pid)
	}
	u := "http://master" + path + "?" + query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(r)
	switch {
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: permission denied: the program runs as another user", SocketPath(c.pidFile))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		if _, gone := MasterOf(c.pidFile); gone != nil {
			return nil, gone
		}
		return nil, errors.New("the master is starting or stopping: it takes no commands now")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.EAGAIN): // the latter if many commands wait already
		return nil, silent(pid)
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
		return nil, errors.New(strings.TrimSpace(string(text)))
	}
	return resp, nil
}

// silent is the error for a master that does not answer.
func silent(pid int) error {
	if suspended(pid) {
		return fmt.Errorf("the master, pid %d, is suspended: it goes on after fg in its terminal, or kill -CONT %d", pid, pid)
	}
	return fmt.Errorf("the master, pid %d, does not answer: kill -9 %d ends it, and its processes notice", pid, pid)
}

// suspended reports whether a process was stopped by SIGSTOP, or by Ctrl+Z.
func suspended(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return bytes.HasPrefix(state, []byte("T"))
}

// Status asks for the status.
func (c *Client) Status(ctx context.Context) (st control.Status, err error) {
	resp, err := c.do(ctx, "GET", "/status", nil)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// Connections asks for the lines of connections. The caller closes the result. Behind the
// lines it has an error if some are missing.
func (c *Client) Connections(ctx context.Context, f control.Filter) (io.ReadCloser, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	resp, err := c.do(ctx, "GET", "/connections", url.Values{"filter": {string(b)}})
	if err != nil {
		return nil, err
	}
	return &listing{resp.Body, resp}, nil
}

// listing is a body whose end is an error if the trailer names one.
type listing struct {
	io.ReadCloser
	resp *http.Response
}

func (l *listing) Read(b []byte) (int, error) {
	n, err := l.ReadCloser.Read(b)
	if fault := l.resp.Trailer.Get(faultTrailer); err == io.EOF && fault != "" {
		err = errors.New("not all connections: " + fault)
	}
	return n, err
}

// Stack asks where processes stand: those of a worker, the one with a pid, or all.
func (c *Client) Stack(ctx context.Context, worker string, pid int, w io.Writer) error {
	resp, err := c.do(ctx, "GET", "/stack", url.Values{"worker": {worker}, "pid": {fmt.Sprint(pid)}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}

// Stop stops the service. The last event comes when the master is gone.
func (c *Client) Stop(ctx context.Context, graceful bool) iter.Seq2[control.Event, error] {
	return func(yield func(control.Event, error) bool) {
		process := -1
		if pid, err := MasterOf(c.pidFile); err == nil {
			if process, err = unix.PidfdOpen(pid, 0); err == nil {
				defer unix.Close(process)
			}
		}
		c.events(ctx, "/stop", graceful, func(ctx context.Context) error {
			err := c.awaitEnd(ctx)
			if process >= 0 { // it lets go of the file a moment before its end
				unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, int(exitPatience.Milliseconds()))
			}
			return err
		})(yield)
	}
}

// exitPatience is how long a master may take to end behind its service: main may go on.
const exitPatience = time.Second

// Reload reloads the program. The last event comes when that is complete.
func (c *Client) Reload(ctx context.Context, graceful bool) iter.Seq2[control.Event, error] {
	return c.events(ctx, "/reload", graceful, func(context.Context) error { return nil })
}

// awaitEnd waits until the master has let go of the pid file.
func (c *Client) awaitEnd(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(silence)
	for {
		pid, err := MasterOf(c.pidFile)
		if err != nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return silent(pid)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// events are the lines of an answer. before runs before the one that ends it is passed on.
func (c *Client) events(ctx context.Context, path string, graceful bool, before func(context.Context) error) iter.Seq2[control.Event, error] {
	return func(yield func(control.Event, error) bool) {
		query := url.Values{}
		if graceful {
			query.Set("graceful", "1")
		}
		resp, err := c.do(ctx, "POST", path, query)
		if err != nil {
			yield(control.Event{}, err)
			return
		}
		defer resp.Body.Close()
		lines := json.NewDecoder(resp.Body)
		for {
			var e control.Event
			err := lines.Decode(&e)
			switch pid, gone := MasterOf(c.pidFile); {
			case err == nil && e.Done:
				err = before(ctx)
			case errors.Is(err, os.ErrDeadlineExceeded) && gone == nil:
				err = silent(pid)
			}
			if errors.Is(err, io.EOF) || !yield(e, err) || err != nil || e.Done {
				return
			}
		}
	}
}

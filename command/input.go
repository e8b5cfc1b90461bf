package command

import (
	"io"
	"sync"

	"github.com/workerman-go/workerman"
)

// maxInput is how many bytes may wait for the program, and the one piece that crosses it.
const maxInput = 1 << 20

// input is what a program will read. A goroutine writes it as long as there is some.
type input struct {
	pipe io.WriteCloser

	mu      sync.Mutex // guards what follows
	queue   [][]byte
	queued  int  // bytes in queue
	writing bool // the goroutine runs
	closing bool // nothing may follow
}

func (i *input) send(data []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closing:
		return workerman.ErrClosed
	case i.queued >= maxInput:
		return workerman.ErrBufferFull
	}
	i.queue = append(i.queue, append(make([]byte, 0, len(data)), data...))
	i.queued += len(data)
	i.work()
	return nil
}

// close ends the input behind what waits.
func (i *input) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closing {
		i.closing = true
		i.work()
	}
}

// end ends the input of a program that is gone.
func (i *input) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closing, i.queue, i.queued = true, nil, 0
	i.pipe.Close()
}

// work starts the goroutine, if there is none. It is called with the lock held.
func (i *input) work() {
	if i.writing {
		return
	}
	i.writing = true
	go func() {
		for data := i.next(); data != nil; data = i.next() {
			if _, err := i.pipe.Write(data); err != nil {
				i.end()
			}
		}
	}()
}

// next takes what is to be written; nil ends the goroutine.
func (i *input) next() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.queue) == 0 {
		i.writing = false
		if i.closing {
			i.pipe.Close()
		}
		return nil
	}
	data := i.queue[0]
	i.queue, i.queued = i.queue[1:], i.queued-len(data)
	return data
}

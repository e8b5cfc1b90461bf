package serve

import (
	"os"
	"time"

	"github.com/workerman-go/workerman/internal/control"
)

// What a process does at a reload: the old one hands its connections over, the new one adopts
// them.

// handOver hands connections over to the process at the other end of f.
func (p *process) handOver(f *os.File, timeout time.Duration) {
	<-p.ready
	p.worker.StopListening()
	p.onReload()
	moved := 0
	link, err := control.UnixConn(f)
	if err == nil {
		err = p.worker.HandOver(link, time.Now().Add(timeout), func(n, left int) {
			moved = n
			p.link.Send(control.Message{Kind: control.Moving, Moved: n, Left: left})
		})
	}
	if err != nil {
		p.logger().Warn("hand-over of connections", "error", err)
	}
	p.handedOver(moved)
}

// handedOver tells the master that the hand-over has ended.
func (p *process) handedOver(moved int) {
	p.link.Send(control.Message{Kind: control.Given, Moved: moved, Left: p.worker.Connections()})
}

// adopt takes connections over from the process at the other end of f.
func (p *process) adopt(f *os.File) {
	<-p.ready
	link, err := control.UnixConn(f)
	if err == nil {
		err = p.worker.Adopt(link)
	}
	if err != nil {
		p.logger().Warn("taking over connections", "error", err)
	}
}

// reloadPatience is how long a reload waits for OnWorkerReload.
const reloadPatience = 2 * time.Second

// onReload runs OnWorkerReload. It does not wait long: the callback before it may have no
// end.
func (p *process) onReload() {
	done := p.worker.OnReload()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-time.After(reloadPatience):
		p.logger().Warn("OnWorkerReload takes its time, the reload goes on")
	}
}

package workerman

// waitForRoom blocks until the send buffer has room, the connection closes (ErrClosed) or
// cancel is closed (ErrBufferFull). It is for goroutines only. The output must be waiting for
// the peer, so that there will be news.
func (c *Conn) waitForRoom(cancel <-chan struct{}) error {
	news := c.ensureRare().roomNews()
	for {
		switch {
		case !c.Connected():
			return ErrClosed
		case !c.stream.Waiting() || c.stream.Queued() < c.maxSend():
			return nil
		}
		select {
		case <-news:
			news = c.ensureRare().roomNews()
		case <-cancel:
			return ErrBufferFull
		}
	}
}

// roomNews returns a channel that is closed at the next roomMade.
func (x *rareState) roomNews() <-chan struct{} {
	for {
		if news := x.room.Load(); news != nil {
			return *news
		}
		news := make(chan struct{})
		if x.room.CompareAndSwap(nil, &news) {
			return news
		}
	}
}

// roomMade wakes who waits for room: there is some, or the connection is gone.
func (x *rareState) roomMade() {
	if x.room.Load() == nil {
		return
	}
	if news := x.room.Swap(nil); news != nil {
		close(*news)
	}
}

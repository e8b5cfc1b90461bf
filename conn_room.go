package workerman

// waitForRoom blocks until the send buffer has room, the connection closes (ErrClosed) or
// cancel is closed (ErrBufferFull). It is for goroutines only, not for the loop. Call it when
// the send buffer was found full and flushed: it waits for the loop to write some of that.
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

// roomNews returns a channel that the next roomMade closes.
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

// roomMade wakes the goroutines that wait for room: there is some, or the connection is closed.
func (x *rareState) roomMade() {
	if x.room.Load() == nil {
		return
	}
	if news := x.room.Swap(nil); news != nil {
		close(*news)
	}
}

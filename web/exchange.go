package web

// An Exchange is what an answer has to know of its request. It is small and owns its memory,
// so that a request can be answered when its bytes are gone. The zero Exchange is that of a
// request that could not be read: its answer ends the connection.
type Exchange struct {
	options    *Options
	conditions *Request // what the request says about ranges and what the client has
	bits       uint8
	coding     coding // that the client wants most, if responses are compressed
}

const (
	exchangeRead      = 1 << iota // the request was understood
	exchangeOld                   // HTTP/1.0
	exchangeKeepAlive             // the client lets the connection go on
	exchangeHead                  // the method is HEAD
	exchangeConnect               // the method is CONNECT
)

// Exchange is what the answer to r has to know.
func (r *Request) Exchange() Exchange {
	x := Exchange{options: r.options, bits: exchangeRead}
	if r.saw&sawCondition != 0 {
		x.conditions = r.conditions()
	}
	if r.options != nil && r.options.Compress.Enabled {
		x.coding = r.wantedCoding()
	}
	if r.old {
		x.bits |= exchangeOld
	}
	if r.KeepAlive() {
		x.bits |= exchangeKeepAlive
	}
	switch r.method {
	case "HEAD":
		x.bits |= exchangeHead
	case "CONNECT":
		x.bits |= exchangeConnect
	}
	return x
}

// KeepAlive reports whether the client lets the connection serve further requests.
func (x Exchange) KeepAlive() bool { return x.bits&exchangeKeepAlive != 0 }

// Last is x with an answer that ends the connection, whatever the client wants.
func (x Exchange) Last() Exchange {
	x.bits &^= exchangeKeepAlive
	return x
}

func (x Exchange) old() bool     { return x.bits&exchangeOld != 0 }
func (x Exchange) head() bool    { return x.bits&exchangeHead != 0 }
func (x Exchange) connect() bool { return x.bits&exchangeConnect != 0 }

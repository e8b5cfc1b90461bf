package main

import "fmt"

// request is what clients send.
type request struct {
	Op       string `json:"op"` // quote, buy, sell or orders
	Symbol   string `json:"symbol"`
	Quantity int    `json:"quantity"`
}

// answer is what they get: an error, or what they asked for.
type answer struct {
	Error  string  `json:"error,omitempty"`
	Quote  *quote  `json:"quote,omitempty"`
	Order  *order  `json:"order,omitempty"`
	Orders []order `json:"orders,omitempty"`
}

type quote struct {
	Symbol string `json:"symbol"`
	Cents  int    `json:"cents"`
}

type order struct {
	ID       int    `json:"id"`
	Symbol   string `json:"symbol"`
	Quantity int    `json:"quantity"` // negative if sold
	Cents    int    `json:"cents"`    // per piece
}

// market holds prices and orders. It is used by one loop only and needs no locks.
type market struct {
	cents  map[string]int
	nextID int
	orders []order // the last ones, oldest first
}

// maxOrders bounds what the market remembers.
const maxOrders = 10

// maxQuantity is the largest order.
const maxQuantity = 1_000_000

func newMarket() *market {
	return &market{cents: map[string]int{"ACME": 1250, "GOPH": 4200, "LOOP": 99}, nextID: 1}
}

func (m *market) handle(r request) answer {
	switch r.Op {
	case "quote":
		return m.quote(r.Symbol)
	case "buy":
		return m.order(r.Symbol, r.Quantity, +1)
	case "sell":
		return m.order(r.Symbol, r.Quantity, -1)
	case "orders":
		return answer{Orders: m.orders}
	}
	return answer{Error: fmt.Sprintf("unknown op %q; known are quote, buy, sell, orders", r.Op)}
}

func (m *market) quote(symbol string) answer {
	cents, ok := m.cents[symbol]
	if !ok {
		return answer{Error: fmt.Sprintf("unknown symbol %q", symbol)}
	}
	return answer{Quote: &quote{Symbol: symbol, Cents: cents}}
}

// order trades at the current price, which then moves a little with the demand.
func (m *market) order(symbol string, quantity, direction int) answer {
	cents, ok := m.cents[symbol]
	switch {
	case !ok:
		return answer{Error: fmt.Sprintf("unknown symbol %q", symbol)}
	case quantity < 1 || quantity > maxQuantity:
		return answer{Error: fmt.Sprintf("quantity is %d; it must be 1 to %d", quantity, maxQuantity)}
	}
	o := order{ID: m.nextID, Symbol: symbol, Quantity: direction * quantity, Cents: cents}
	m.nextID++
	m.cents[symbol] = max(1, cents+direction)
	if len(m.orders) == maxOrders {
		m.orders = append(m.orders[:0], m.orders[1:]...)
	}
	m.orders = append(m.orders, o)
	return answer{Order: &o}
}

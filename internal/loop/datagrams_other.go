//go:build !linux

package loop

// systemDatagrams is nothing: package net has the socket.
type systemDatagrams struct{}

func (d *Datagrams) open() error { return d.openPortable() }
func (d *Datagrams) close()      {}

func (d *Datagrams) write(b []byte) error {
	_, err := d.port.Write(b)
	return err
}

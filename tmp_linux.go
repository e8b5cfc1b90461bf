package workerman

import "os"

func (p *process) profile(q string, w *os.File) error { return nil }

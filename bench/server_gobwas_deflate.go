package main

import (
	"compress/flate"
	"io"
	"sync"

	"github.com/gobwas/ws/wsflate"
)

// newGobwasHelper compresses at the level that the other engines have by default,
// with compressors that are used again: gobwas/ws leaves both to its users.
func newGobwasHelper() wsflate.Helper {
	var writers, readers sync.Pool
	return wsflate.Helper{
		Compressor: func(dst io.Writer) wsflate.Compressor {
			w, ok := writers.Get().(*pooledWriter)
			if !ok {
				f, _ := flate.NewWriter(dst, flate.BestSpeed) // an error is of the level
				return &pooledWriter{f, &writers}
			}
			w.Reset(dst)
			return w
		},
		Decompressor: func(src io.Reader) wsflate.Decompressor {
			r, ok := readers.Get().(*pooledReader)
			if !ok {
				return &pooledReader{flate.NewReader(src), &readers}
			}
			_ = r.Reader.(flate.Resetter).Reset(src, nil) // it has no error to give
			return r
		},
	}
}

// pooledWriter and pooledReader go back to their pool when they are closed.
type pooledWriter struct {
	*flate.Writer
	pool *sync.Pool
}

func (w *pooledWriter) Close() error {
	w.pool.Put(w)
	return nil
}

type pooledReader struct {
	io.Reader
	pool *sync.Pool
}

func (r *pooledReader) Close() error {
	r.pool.Put(r)
	return nil
}

package web

import "time"

// BodyMode says how the body of a request is handed out.
type BodyMode uint8

const (
	// Collect hands out a request when it is complete, with its whole body.
	Collect BodyMode = iota
	// Stream hands out the head first and then the body in pieces as they arrive.
	Stream
)

// Options are the settings of a server. One value serves all its parsers and must not be
// changed while they use it. A limit of 0 means the default.
type Options struct {
	// Body is how bodies are handed out; the default is Collect.
	Body BodyMode
	// MaxRequestLine limits the request line in bytes, 8 KiB by default. Beyond: 414.
	MaxRequestLine int
	// MaxHeader limits the head (request line, fields and empty line) in bytes, 16 KiB by
	// default. Beyond: 431.
	MaxHeader int
	// MaxFields limits the number of header fields, and of trailer fields, 100 by default.
	// Beyond: 431.
	MaxFields int
	// MaxBody limits the body in bytes, chunked or not, collected or not, 10 MiB by
	// default; below 0 there is no limit. Beyond: 413.
	MaxBody int64
	// MaxChunkExtensions limits the bytes of all chunk extensions of a body, which nobody
	// reads, 4 KiB by default. Beyond: 400.
	MaxChunkExtensions int
	// MaxTrailer limits the trailer section in bytes, 4 KiB by default. Beyond: 431.
	MaxTrailer int
	// MaxPairs limits how many name=value pairs of a query or a form are looked at, 1000 by
	// default. What follows is ignored.
	MaxPairs int
	// Uploads hands out requests with a multipart form (RFC 7578) as Stream does, although
	// Body is Collect: GotHead with the head, GotPiece with each piece of the body, which a
	// FormReader reads, GotRequest at the end. A worker sets it by itself.
	Uploads bool
	// UploadDir is where a FormReader puts files, the system's directory for temporary
	// files by default. A file's name begins with workerman-upload- and its mode is 0600.
	// What a process leaves that was killed is for the operator to remove.
	UploadDir string
	// MaxUploads limits the files of a multipart form, 1024 by default. Beyond: 413.
	MaxUploads int
	// MaxUploadMemory is how many bytes of a form's files are kept in memory, 256 KiB by
	// default, none if it is below 0. Files that do not fit in go to UploadDir.
	MaxUploadMemory int64
	// MaxFormFields limits the fields of a multipart form that are no files, 1000 by
	// default. Beyond: 413.
	MaxFormFields int
	// MaxFormMemory limits the bytes of all names and values of a multipart form, 1 MiB by
	// default. Beyond: 413.
	MaxFormMemory int
	// MaxPartHead limits the head of a part of a multipart form in bytes, 4 KiB by default.
	// Beyond: 413.
	MaxPartHead int
	// AnyMethod accepts every token as a method. Otherwise a method other than those of
	// RFC 9110, section 9, and PATCH is answered by 501.
	AnyMethod bool
	// HeaderTimeout is how long a client may take for the head of a request, from its first
	// byte on, and at first from the connection on; 20 s by default. Beyond: 408. It is kept
	// by whoever owns the connection, as is BodyTimeout.
	HeaderTimeout time.Duration
	// BodyTimeout is how long a client may take for a body, and a second more for each
	// 16 KiB of it; 60 s by default. Beyond: 408.
	BodyTimeout time.Duration
	// Compress are the settings of compressed responses; the default is to send them as
	// they are.
	Compress Compression
	// Server is the value of the Server field of responses; if empty, there is none.
	Server string
}

// The largest head or trailer that can be configured: offsets in it have 32 bits.
const maxOffset = 1 << 30

var defaultOptions Options

func (o *Options) maxRequestLine() int { return min(orDefault(o.MaxRequestLine, 8<<10), o.maxHeader()) }
func (o *Options) maxHeader() int      { return min(orDefault(o.MaxHeader, 16<<10), maxOffset) }
func (o *Options) maxTrailer() int     { return min(orDefault(o.MaxTrailer, 4<<10), maxOffset) }
func (o *Options) maxFields() int      { return orDefault(o.MaxFields, 100) }
func (o *Options) maxPairs() int       { return orDefault(o.MaxPairs, 1000) }
func (o *Options) maxUploads() int     { return orDefault(o.MaxUploads, 1024) }
func (o *Options) maxFormFields() int  { return orDefault(o.MaxFormFields, 1000) }
func (o *Options) maxFormMemory() int  { return orDefault(o.MaxFormMemory, 1<<20) }
func (o *Options) maxPartHead() int    { return min(orDefault(o.MaxPartHead, 4<<10), maxOffset) }
func (o *Options) maxUploadMemory() int64 {
	if o.MaxUploadMemory == 0 {
		return 256 << 10
	}
	return o.MaxUploadMemory
}
func (o *Options) maxExtensions() int {
	return min(orDefault(o.MaxChunkExtensions, 4<<10), maxOffset)
}

// maxBody is below 0 if there is no limit.
func (o *Options) maxBody() int64 {
	if o.MaxBody == 0 {
		return 10 << 20
	}
	return o.MaxBody
}

func orDefault(limit, fallback int) int {
	if limit <= 0 {
		return fallback
	}
	return limit
}

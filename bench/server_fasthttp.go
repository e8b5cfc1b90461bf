package main

import "github.com/valyala/fasthttp"

func serveFastHTTP(cfg serverConfig) error {
	body := []byte(page)
	s := fasthttp.Server{
		NoDefaultServerHeader: true,
		Handler: func(ctx *fasthttp.RequestCtx) {
			if cfg.Task == echoTask {
				ctx.SetContentType("application/octet-stream")
				ctx.SetBody(ctx.PostBody())
				return
			}
			ctx.SetContentType("text/plain; charset=utf-8")
			ctx.SetBody(body)
		},
	}
	ln, err := listen()
	if err != nil {
		return err
	}
	if cfg.tls() {
		return s.ServeTLS(ln, cfg.cert, cfg.key)
	}
	return s.Serve(ln)
}

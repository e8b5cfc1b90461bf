// Package web holds the tests of HTTP: requests and answers of OnRequest in all their forms,
// streams, files and forms, HTTPS, and handlers of net/http with their bodies, contexts and
// hijacked connections, which are held against net/http's own server.
package web

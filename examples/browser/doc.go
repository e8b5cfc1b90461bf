// Package browser tests the examples with pages, and the dashboard, in a real browser, a
// headless Chromium. It is a module of its own, so that what drives the browser is no
// dependency of yours.
package browser

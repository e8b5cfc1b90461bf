package main

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/workerman-go/workerman"
)

// maxNotes is how many notes are kept.
const maxNotes = 100

// notebook is what clients have noted. Handlers run at the same time, so it has a lock.
type notebook struct {
	mu    sync.Mutex
	notes []note
}

type note struct {
	Text string `json:"text" binding:"required,max=500"`
}

// newRouter is the application; nothing in it but the route whoami knows of workerman.
func newRouter(tick time.Duration) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	var book notebook
	router.GET("/hello/:name", hello)
	router.GET("/notes", book.list)
	router.POST("/notes", book.add)
	router.GET("/whoami", whoami)
	router.GET("/events", func(c *gin.Context) { events(c, tick) })
	return router
}

func hello(c *gin.Context) {
	c.String(http.StatusOK, "Hello, %s!\n", c.Param("name"))
}

func (b *notebook) list(c *gin.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.JSON(http.StatusOK, gin.H{"notes": b.notes})
}

func (b *notebook) add(c *gin.Context) {
	var n note
	if err := c.ShouldBindJSON(&n); err != nil {
		c.JSON(http.StatusUnprocessableEntity, gin.H{"error": err.Error()})
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.notes) == maxNotes {
		b.notes = append(b.notes[:0], b.notes[1:]...)
	}
	b.notes = append(b.notes, n)
	c.JSON(http.StatusCreated, n)
}

// whoami goes behind net/http: to the connection that the request came on.
func whoami(c *gin.Context) {
	conn := workerman.ConnOf(c.Request.Context())
	c.JSON(http.StatusOK, gin.H{"connection": conn.ID(), "peer": conn.RemoteAddr().String()})
}

// events tells the time until the client leaves.
func events(c *gin.Context, tick time.Duration) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	c.Stream(func(io.Writer) bool {
		select {
		case now := <-ticker.C:
			c.SSEvent("clock", now.Format(time.TimeOnly))
			return true
		case <-c.Request.Context().Done():
			return false
		}
	})
}

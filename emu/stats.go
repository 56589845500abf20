// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Stats summarises served calls.
type Stats struct {
	Calls    int
	ByEngine map[string]EngineStats // by Event.Engine; only calls that succeeded
	Errors   map[unix.Errno]int
	Pages    uint64 // copied
	Bytes    uint64 // copied
	// Lost are calls beyond those: too many came while whoever counts was stopped.
	Lost uint64
}

// EngineStats are the calls of one engine.
type EngineStats struct {
	Calls    int
	P50, P99 time.Duration // of Event.Duration
	Bytes    uint64
}

// collector gathers events; the zero value is ready.
type collector struct {
	mu        sync.Mutex
	stats     Stats
	durations map[string][]time.Duration
}

func (c *collector) add(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.durations == nil {
		c.durations = make(map[string][]time.Duration)
		c.stats.ByEngine = make(map[string]EngineStats)
		c.stats.Errors = make(map[unix.Errno]int)
	}
	c.stats.Calls++
	c.stats.Pages += e.Pages
	c.stats.Bytes += e.Bytes
	if e.Result < 0 {
		c.stats.Errors[unix.Errno(-e.Result)]++
		return
	}
	c.durations[e.Engine] = append(c.durations[e.Engine], e.Duration)
	engine := c.stats.ByEngine[e.Engine]
	engine.Calls++
	engine.Bytes += e.Bytes
	c.stats.ByEngine[e.Engine] = engine
}

// miss counts calls that nobody will hear of.
func (c *collector) miss(n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Lost += n
}

// summary works the percentiles out and returns a copy.
func (c *collector) summary() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.ByEngine, s.Errors = make(map[string]EngineStats), maps.Clone(c.stats.Errors)
	for name, e := range c.stats.ByEngine {
		sorted := slices.Sorted(slices.Values(c.durations[name]))
		e.P50, e.P99 = percentile(sorted, 50), percentile(sorted, 99)
		s.ByEngine[name] = e
	}
	return s
}

// percentile of a sorted list, by the nearest rank; 0 for an empty one.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

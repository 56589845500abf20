package transplant

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestVectors: what one call is to read is no more than it can take, and all calls together
// read each byte once.
func TestVectors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var spans []span
		at := uint64(0)
		for range rapid.IntRange(0, 3*maxIovecs).Draw(t, "spans") {
			at += pageSize
			end := at + pageSize
			if rapid.IntRange(0, 200).Draw(t, "long") == 0 {
				end += rapid.Uint64Range(0, 3*maxRead/pageSize).Draw(t, "pages") * pageSize
			}
			spans = append(spans, span{at, end})
			at = end
		}
		var joined []span
		for _, v := range vectors(cut(spans)) {
			size := uint64(0)
			for _, s := range v {
				size += s.end - s.start
				joined = appendSpan(joined, s.start, s.end)
			}
			if len(v) == 0 || len(v) > maxIovecs || size > maxRead {
				t.Fatalf("%d spans of %d bytes for one call", len(v), size)
			}
		}
		if !slices.Equal(joined, spans) {
			t.Fatalf("%v became %v", spans, joined)
		}
	})
}

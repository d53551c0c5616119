package view

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/uuid"
)

// TestPrefixEnd checks, over texts of characters from every corner, that what lies between a prefix and its end is what
// starts with it.
func TestPrefixEnd(t *testing.T) {
	const runes = "\x01a\x7f\u0080é\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010fffe\U0010ffff"
	characters := strings.Split(runes, "")
	texts := []string{""}
	for _, a := range characters {
		texts = append(texts, a)
		for _, b := range characters {
			texts = append(texts, a+b, a+b+"\U0010ffff", a+b+"\x01")
		}
	}
	for _, prefix := range texts {
		end := prefixEnd(prefix)
		if !utf8.ValidString(end) || strings.ContainsRune(end, 0) {
			t.Errorf("the end of %q is %q, which is no text", prefix, end)
		}
		for _, key := range texts {
			if between := key >= prefix && (end == "" || key < end); between != strings.HasPrefix(key, prefix) {
				t.Errorf("%q is between %q and %q: %v", key, prefix, end, between)
			}
		}
	}
}

// TestStateCountsItsBytes changes copies of a state at random: each knows its own size, and none changes another.
func TestStateCountsItsBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(29, 1))
	s := &state{}
	for range 300 {
		before, size := fingerprint(s), s.bytes
		next := s.copy()
		for range random.IntN(20) {
			key := fmt.Sprint("k", random.IntN(60))
			switch random.IntN(4) {
			case 0:
				next.forget(key)
			case 1:
				next.put(key, nil)
			default:
				next.put(key, []byte(strings.Repeat("1", 1+random.IntN(50))))
			}
		}
		if fingerprint(s) != before || s.bytes != size {
			t.Fatal("a state changed with its copy")
		}
		want := 0
		next.known.Scan(func(key string, value []byte) bool {
			want += len(key) + len(value) + entryOverhead
			return true
		})
		if next.bytes != want {
			t.Fatalf("the state says %d bytes, its entries have %d", next.bytes, want)
		}
		if random.IntN(5) > 0 { // else the copy is thrown away, as after a rollback
			s = next
		}
	}
}

func fingerprint(s *state) string {
	var text strings.Builder
	s.known.Scan(func(key string, value []byte) bool {
		fmt.Fprintf(&text, "%q=%q ", key, value)
		return true
	})
	return text.String()
}

// TestCacheKeepsItsLimit remembers and forgets snapshots of many logs: the cache holds the latest ones that fit.
func TestCacheKeepsItsLimit(t *testing.T) {
	const limit = 20_000
	random := rand.New(rand.NewPCG(31, 1))
	v := &Views{cache: newCache(limit)}
	logs := make([]uuid.UUID, 60)
	for i := range logs {
		logs[i] = uuid.New()
	}
	latest := map[uuid.UUID]*Snapshot{}
	var recent []uuid.UUID // least recently used first
	use := func(log uuid.UUID) {
		recent = append(slices.DeleteFunc(recent, func(other uuid.UUID) bool { return other == log }), log)
	}
	for range 3000 {
		log := logs[random.IntN(len(logs))]
		switch random.IntN(6) {
		case 0:
			v.Forget(log)
			delete(latest, log)
		case 1:
			if s := v.Cached(log); s != nil && s != latest[log] {
				t.Fatal("the cache gave an older snapshot")
			} else if s != nil {
				use(log)
			}
		default:
			s := &Snapshot{Log: log, views: []liveView{{version: &Version{}, state: &state{bytes: random.IntN(3000)}}}}
			v.Remember([]*Snapshot{s})
			latest[log] = s
			use(log)
		}
		total := 0
		for _, element := range v.cache.elements {
			total += element.Value.(*cached).bytes
		}
		if total != v.cache.bytes || total > limit || len(v.cache.elements) != v.cache.recent.Len() {
			t.Fatalf("the cache reports %d bytes in %d entries, it holds %d in %d",
				v.cache.bytes, v.cache.recent.Len(), total, len(v.cache.elements))
		}
	}
	// What is missing is what was used longest ago: an entry that stayed is never older than one that went.
	stayed := false
	for _, log := range recent {
		if latest[log] == nil {
			continue
		}
		_, here := v.cache.elements[log]
		if stayed && !here {
			t.Error("a log was dropped that was used after one that stayed")
		}
		stayed = stayed || here
	}
	if !stayed {
		t.Error("the cache is empty")
	}
}

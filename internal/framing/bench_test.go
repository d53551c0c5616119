package framing

import (
	"bytes"
	"strings"
	"testing"
)

func BenchmarkRecords(b *testing.B) {
	event := `{"type":"api.call","time":"2025-03-01T10:05:30.123456Z","endpoint":"/v1/generate","tokens_in":150,` +
		`"tokens_out":420,"model":"gpt-4","team":"search","request_id":"7f3c2a9e-5b1d-4c8a"}`
	long := `{"messages":[` + strings.Repeat(`{"role":"user","content":"`+strings.Repeat("Say what you see. ", 20)+`","n":[1,2.5,null]},`,
		30) +
		`{}]}`
	for name, body := range map[string]string{
		"lines":      strings.Repeat(event+"\n", 1000),
		"array":      "[" + strings.Repeat(event+",", 999) + event + "]",
		"long lines": strings.Repeat(long+"\n", 100),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				x := NewRecords(bytes.NewReader([]byte(body)), 1<<20)
				for {
					if r, err := x.Next(); err != nil {
						break
					} else if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	body := text(1 << 20)
	for encoding, sent := range encoded(b, body) {
		b.Run(encoding, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			piece := make([]byte, 32<<10)
			for b.Loop() {
				d, err := Decode(bytes.NewReader(sent), encoding, 1<<20)
				for err == nil {
					_, err = d.Read(piece)
				}
				if err := d.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

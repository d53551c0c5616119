package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/tallystick/tallystick/internal/framing"
)

const (
	// unreadMedia is the media type of lines that say what their sender could not read: such a body has no records.
	unreadMedia = "application/vnd.tallystick.unread+json"
	// unreadCode is the code of their rejects, and maxUnreadDetail bounds what the sender says is wrong with one, in bytes.
	unreadCode      = "unreadable"
	maxUnreadDetail = 4 << 10
)

// unreadLine is a line that whoever sends it could not read, such as one of an access log that is none.
type unreadLine struct {
	Raw       string `json:"raw"`
	RawBase64 []byte `json:"raw_base64"` // instead, of what is no text
	Whole     bool   `json:"whole"`      // that is all of it
	Detail    string `json:"detail"`     // why it could not be read, for people
}

// readUnread keeps what the sender could not read in the source's log of rejects, as what the server cannot read itself.
func (t *taking) readUnread(ctx context.Context, body io.Reader) error {
	records := framing.NewRecords(body, maxRecordBytes).Booked(func(bytes int64) error { return t.book(ctx, &t.window, bytes) })
	for {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var line unreadLine
		if record.Err != nil || json.Unmarshal(record.Data, &line) != nil || len(line.Detail) > maxUnreadDetail {
			line = unreadLine{Raw: string(record.Data), Detail: "it should say what could not be read, and does not"}
		}
		raw := []byte(line.Raw)
		if len(line.RawBase64) > 0 {
			raw = line.RawBase64
		}
		if err := t.delivery.Refuse(ctx, raw, line.Whole, unreadCode, line.Detail); err != nil {
			return err
		}
	}
}

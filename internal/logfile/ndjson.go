package logfile

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// ndjsonSyntax is one JSON object to a line.
type ndjsonSyntax struct{}

func (ndjsonSyntax) end(data []byte, scanned int) int { return plainLine(data, scanned) }

func (ndjsonSyntax) object(b, record []byte) ([]byte, error) {
	if err := checkObject(record); err != nil {
		return nil, err
	}
	return append(b, bytes.Trim(record, " \t")...), nil
}

var errNoObject = errors.New("it is no JSON object, but another JSON value")

func checkObject(record []byte) error {
	if err := jsonscan.Valid(record); err != nil {
		return fmt.Errorf("it is not valid JSON: %w", err)
	}
	if bytes.TrimLeft(record, " \t\r\n")[0] != '{' {
		return errNoObject
	}
	return nil
}

package logfile

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// csvSyntax is CSV as RFC 4180 has it: a header, quoted fields that may hold line ends, "" for a quote in them. Values become strings.
type csvSyntax struct {
	delimiter byte
	columns   []string
	state     csvState // of end, over the bytes that it has scanned
	fields    [][]byte
	unquoted  []byte
}

// newCSV reads CSV whose columns are known, or nil. A delimiter of 0 is found out from the header.
func newCSV(delimiter byte, columns []string) *csvSyntax {
	return &csvSyntax{delimiter: delimiter, columns: columns}
}

type csvState int

const (
	fieldStart csvState = iota
	inField
	inQuotes
	afterQuote // within quotes: the end of the field, or the first half of ""
)

func (c *csvSyntax) end(data []byte, scanned int) int {
	if scanned == 0 {
		c.state = fieldStart
	}
	for i := scanned; i < len(data); i++ {
		b := data[i]
		switch {
		case c.state == inQuotes:
			if b == '"' {
				c.state = afterQuote
			}
		case b == '\n':
			return i + 1
		case b == '"' && (c.state == fieldStart || c.state == afterQuote):
			c.state = inQuotes
		case c.delimits(b):
			c.state = fieldStart
		default:
			c.state = inField
		}
	}
	return 0
}

// delimits reports whether b is the delimiter, or may be.
func (c *csvSyntax) delimits(b byte) bool {
	if c.delimiter == 0 {
		return bytes.IndexByte(delimiters, b) >= 0
	}
	return b == c.delimiter
}

// delimiters are those that are looked for, in this order.
var delimiters = []byte(",;\t")

func (c *csvSyntax) object(b, record []byte) ([]byte, error) {
	if !utf8.Valid(record) {
		return nil, errNotUTF8
	}
	if c.columns == nil {
		return nil, c.header(record)
	}
	if err := c.split(record); err != nil {
		return nil, err
	}
	if len(c.fields) != len(c.columns) {
		return nil, fmt.Errorf("it has %d fields, and the header names %d", len(c.fields), len(c.columns))
	}
	b = append(b, '{')
	for i, field := range c.fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, []byte(c.columns[i]))
		b = append(b, ':')
		b = appendString(b, field)
	}
	return append(b, '}'), nil
}

// header reads the names of the columns.
func (c *csvSyntax) header(record []byte) error {
	if c.delimiter == 0 {
		c.delimiter = delimiters[0]
		for _, d := range delimiters {
			if bytes.IndexByte(record, d) >= 0 {
				c.delimiter = d
				break
			}
		}
	}
	if err := c.split(record); err != nil {
		return useless("the header of this CSV cannot be read: %v", err)
	}
	columns := make([]string, len(c.fields))
	for i, field := range c.fields {
		columns[i] = string(field)
		switch {
		case len(field) == 0:
			return useless("column %d of this CSV has no name: the first row must name the columns", i+1)
		case slices.Contains(columns[:i], columns[i]):
			return useless("two columns of this CSV are named %q", columns[i])
		}
	}
	c.columns = columns
	return nil
}

// split reads the fields of a record. They are valid until the next call.
func (c *csvSyntax) split(record []byte) error {
	c.fields, c.unquoted = c.fields[:0], slices.Grow(c.unquoted[:0], len(record))
	for {
		var field []byte
		if len(record) > 0 && record[0] == '"' {
			start := len(c.unquoted)
			rest, ok := record[1:], false
			for !ok {
				i := bytes.IndexByte(rest, '"')
				if i < 0 {
					return errUnclosed
				}
				c.unquoted = append(c.unquoted, rest[:i]...)
				rest = rest[i+1:]
				if ok = len(rest) == 0 || rest[0] != '"'; !ok {
					c.unquoted = append(c.unquoted, '"')
					rest = rest[1:]
				}
			}
			field, record = c.unquoted[start:], rest
			if len(record) > 0 && record[0] != c.delimiter {
				return fmt.Errorf("field %d goes on after its closing quote", len(c.fields)+1)
			}
		} else {
			i := bytes.IndexByte(record, c.delimiter)
			if i < 0 {
				i = len(record)
			}
			field, record = record[:i], record[i:]
			if bytes.IndexByte(field, '"') >= 0 {
				return fmt.Errorf(`field %d holds a quote and is not quoted itself: it is written "5"" disk"`, len(c.fields)+1)
			}
		}
		c.fields = append(c.fields, field)
		if len(record) == 0 {
			return nil
		}
		record = record[1:]
	}
}

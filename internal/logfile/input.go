package logfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Options say how files are read.
type Options struct {
	Format    Format // "": found by looking
	Delimiter byte   // of CSV; 0: found by looking
	Origin    string // see NewChain
}

// Mark is how far a file has been read, and by what it is known again.
type Mark struct {
	ID     string    `json:"id"`   // of the mark, not of the file
	Name   string    `json:"name"` // the absolute path that was read
	Inode  string    `json:"inode,omitempty"`
	At     time.Time `json:"at"` // all that was written to that path before has been read, or is in this file
	Format Format    `json:"format"`
	Head   Window    `json:"head"`  // the file's first bytes
	Begin  Chain     `json:"begin"` // the chain of its first records
	Position
}

// beginRecords is how many records tell most files apart. The first may be a header, which many have in common.
const beginRecords = 2

// Input is a file, or another stream, that is being read.
type Input struct {
	Records
	Name string // as it was given
	// Resumed is the position that it was gone on from, or the zero Position.
	Resumed Position

	mark       Mark
	file       *os.File // nil for a stream
	info       os.FileInfo
	compressed compression
	content    io.ReadCloser
	growing    *growing // where the file is plain
	finished   bool
	begun      int64   // the records of Begin
	stream     *pieces // of a stream that need not be waited for
}

// Open opens a file, and goes on from the mark that is furthest in it, if one is: by inode and a few bytes, or else by its records.
func Open(name string, marks []Mark, o Options) (*Input, error) {
	file, err := os.Open(name) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	in, err := openFile(name, file, marks, o)
	if err != nil {
		_ = file.Close() // only read
		return nil, err
	}
	return in, nil
}

func openFile(name string, file *os.File, marks []Mark, o Options) (*Input, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is a folder: name the files in it")}
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	var magic [4]byte
	n, err := file.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is no regular file: give it as standard input, by -")}
	}
	in := &Input{Name: name, file: file, info: info, compressed: compressionOf(magic[:n])}
	in.mark = Mark{ID: rand.Text(), Name: path, Inode: inode(info), At: info.ModTime(), Format: o.Format}
	if in.quickly(marks, o) {
		return in, nil
	}
	if err := in.begin(o); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := in.resume(marks, o); err != nil {
		in.closeContent()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return in, nil
}

// quickly goes on from a mark of this very file, without reading what is before it.
func (i *Input) quickly(marks []Mark, o Options) bool {
	if i.compressed != plain {
		return false
	}
	best := -1
	for n, m := range marks {
		if m.Inode != i.mark.Inode || m.Format == JSON || m.Offset > i.info.Size() || m.Records == 0 ||
			o.Format != "" && o.Format != m.Format || best >= 0 && m.Records < marks[best].Records {
			continue
		}
		if _, ok := windowAt(i.file, int64(m.Head.Bytes), m.Head); !ok {
			continue
		}
		if _, ok := windowAt(i.file, m.Offset, m.Window); ok {
			best = n
		}
	}
	if best < 0 {
		return false
	}
	m := marks[best]
	window, ok := windowAt(i.file, m.Offset, m.Window)
	if !ok {
		return false
	}
	i.growing = &growing{file: i.file, offset: m.Offset, window: bytes.Clone(window)}
	i.content = io.NopCloser(i.growing)
	i.adopt(m)
	i.Records = newLines(i.growing, syntaxOf(m.Format, o, m.Position), m.Position, window, MaxRecordBytes)
	return true
}

func (i *Input) adopt(m Mark) {
	m.Name, m.Inode, m.At = i.mark.Name, i.mark.Inode, i.mark.At
	i.mark, i.Resumed, i.begun = m, m.Position, m.Records
}

// begin reads from the beginning.
func (i *Input) begin(o Options) error {
	i.closeContent()
	if i.compressed == plain {
		i.growing = &growing{file: i.file}
		i.content = io.NopCloser(i.growing)
	} else {
		var err error
		if i.content, err = decompressed(io.NewSectionReader(i.file, 0, i.info.Size()), i.compressed); err != nil {
			return err
		}
	}
	head, whole, err := readHead(i.content)
	if err != nil {
		return err
	}
	return i.readFrom(head, whole, o)
}

// readFrom reads records of what begins with head and goes on in the content.
func (i *Input) readFrom(head []byte, whole bool, o Options) error {
	format := o.Format
	if format == "" {
		var err error
		if format, err = detect(i.Name, head, whole); err != nil {
			return err
		}
	}
	i.mark.Format = format
	in := &joined{head, i.content}
	if format == JSON {
		i.Records = newDocuments(in, NewChain(o.Origin), MaxRecordBytes)
		return nil
	}
	i.Records = newLines(in, syntaxOf(format, o, Position{}), Position{Chain: NewChain(o.Origin)}, nil, MaxRecordBytes)
	return nil
}

// syntaxOf is how lines of a format are read from a position on.
func syntaxOf(format Format, o Options, at Position) syntax {
	switch format {
	case CSV:
		if at.Delimiter != "" {
			o.Delimiter = at.Delimiter[0]
		}
		return newCSV(o.Delimiter, at.Columns)
	case Access:
		return accessSyntax{}
	default:
		return ndjsonSyntax{}
	}
}

// readHead reads what a format is found by: at least the first line, where it is not too long.
func readHead(r io.Reader) (head []byte, whole bool, err error) {
	head = make([]byte, 0, headBytes)
	for len(head) < headBytes && bytes.IndexByte(bytes.TrimLeft(head, "\uFEFF \t\r\n\x00"), '\n') < 0 {
		n, err := r.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if errors.Is(err, io.EOF) {
			return head, true, nil
		}
		if err != nil {
			return head, false, err
		}
	}
	return head, false, nil
}

// joined is io.MultiReader for a second part whose end is not for good.
type joined struct {
	head []byte
	rest io.Reader
}

func (j *joined) Read(p []byte) (int, error) {
	if len(j.head) > 0 {
		n := copy(p, j.head)
		j.head = j.head[n:]
		return n, nil
	}
	return j.rest.Read(p)
}

// Next implements Records, and notes how the file begins.
func (i *Input) Next() (Record, error) {
	record, err := i.Records.Next()
	if err != nil {
		return record, err
	}
	if i.begun < beginRecords {
		at := i.place()
		if i.begun = at.Records; at.Records <= beginRecords {
			i.mark.Begin = at.Chain
		}
	}
	return record, nil
}

// Mark is the mark of the present position. A stream has none that would help.
func (i *Input) Mark() Mark {
	m := i.mark
	m.Position = i.Position()
	if i.growing != nil && m.Format != JSON && i.mark.Head.Bytes < windowBytes {
		head := make([]byte, min(m.Offset, windowBytes))
		if n, err := i.file.ReadAt(head, 0); n == len(head) && (err == nil || errors.Is(err, io.EOF)) {
			i.mark.Head = windowOf(head)
		}
		m.Head = i.mark.Head
	}
	return m
}

// Finish implements Records.
func (i *Input) Finish() {
	i.finished = true
	i.Records.Finish()
}

// Close closes the file.
func (i *Input) Close() {
	i.closeContent()
	if i.file != nil {
		_ = i.file.Close() // only read
	}
}

func (i *Input) closeContent() {
	if i.content != nil {
		_ = i.content.Close() // only read
		i.content = nil
	}
}

// Size is that of the file in bytes, and how much of it is read; 0 where that is not known.
func (i *Input) Size() (read, size int64) {
	if i.file == nil {
		return 0, 0
	}
	if i.growing != nil {
		return i.growing.offset, max(i.info.Size(), i.growing.offset)
	}
	return 0, 0
}

// Format is what the input is written in.
func (i *Input) Format() Format { return i.mark.Format }

// Unsettled reports whether the file may have been caught in the middle of a line: there is something behind its last line end, and it was
// changed a moment ago.
func (i *Input) Unsettled() bool {
	if i.growing == nil {
		return false
	}
	info, err := i.file.Stat()
	return err == nil && i.growing.offset > i.place().Offset && time.Since(info.ModTime()) < settled
}

// settled is how long the beginning of a line may be all that there is of it.
const settled = time.Second

// IsStream reports whether the input is no file, and so cannot be gone on with later.
func (i *Input) IsStream() bool { return i.file == nil }

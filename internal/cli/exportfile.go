package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// exportBuffer is the size of the write buffer, in bytes.
const exportBuffer = 256 << 10

// exportState describes an unfinished export: what is durable, and what remains.
type exportState struct {
	LogID       string            `json:"log_id"`
	Format      string            `json:"format"`
	Compression string            `json:"compression"`
	Filter      tally.EventFilter `json:"wanted"`    // To is the log's end when the export began
	HeadHash    string            `json:"head_hash"` // of To, if that was the log's end; else empty
	Offset      int64             `json:"offset"`    // durable bytes of the file
	Sequence    int64             `json:"sequence"`  // the last event in them; 0: none yet
	Hash        string            `json:"hash"`      // of that event
	Events      int64             `json:"events"`
	Faults      []string          `json:"faults,omitempty"`
}

// checkResumable returns an error unless an export with this state can be resumed with the arguments in other.
func (s *exportState) checkResumable(other *exportState) error {
	filter := s.Filter
	if other.Filter.To == 0 {
		filter.To = 0 // as it was when the export began
	}
	switch {
	case s.LogID != other.LogID:
		return errors.New("it is of another log")
	case s.Format != other.Format || s.Compression != other.Compression:
		return fmt.Errorf("it is %s", strings.TrimSpace(s.Format+" "+s.Compression))
	case filter != other.Filter:
		return errors.New("it was begun with another range or filter")
	}
	return nil
}

// exportFile is a file that is either complete or recognizably unfinished: it is written as FILE.part, with its state in FILE.part.json,
// and renamed at the end. Standard output has neither a state nor a name.
type exportFile struct {
	path       string // empty: standard output
	file       *os.File
	buffer     *bufio.Writer
	offset     int64 // bytes written through buffer
	compressor io.WriteCloser
	state      exportState
	broken     bool // a write failed: what follows the state's offset is undefined
}

func (f *exportFile) part() string      { return f.path + ".part" }
func (f *exportFile) statePath() string { return f.path + ".part.json" }

// exportTo starts a file with the state fresh, or resumes one.
func exportTo(path string, stdout io.Writer, fresh exportState, resume, force bool) (*exportFile, error) {
	f := &exportFile{path: path, state: fresh}
	if path == "" {
		f.buffer = bufio.NewWriterSize(stdout, exportBuffer)
		return f, nil
	}
	if _, err := os.Stat(path); err == nil && !force {
		return nil, fmt.Errorf("%s is there already: --force writes it anew", path)
	}
	text, err := os.ReadFile(f.statePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case resume:
		if err := json.Unmarshal(text, &f.state); err != nil {
			return nil, fmt.Errorf("%s does not say how far the export is: %w; without --resume and with --force it begins anew",
				f.statePath(), err)
		}
		if err := f.state.checkResumable(&fresh); err != nil {
			return nil, fmt.Errorf("%s is not what is asked for: %w; give the same arguments as then, "+
				"or --force, without --resume, to begin anew", f.part(), err)
		}
	case !force:
		return nil, fmt.Errorf("an earlier export left %s: --resume goes on with it, --force begins anew", f.part())
	}
	if f.file, err = os.OpenFile(f.part(), os.O_RDWR|os.O_CREATE, 0o666); err != nil { //nolint:gosec // the umask decides who may read it
		return nil, err
	}
	if err := f.rewind(); err != nil {
		_ = f.file.Close()
		return nil, err
	}
	f.buffer = bufio.NewWriterSize(f.file, exportBuffer)
	return f, nil
}

// rewind truncates the file to its durable part.
func (f *exportFile) rewind() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.state.Offset {
		return fmt.Errorf("%s has %d bytes, and had %d: it was changed; --force, without --resume, begins anew",
			f.part(), info.Size(), f.state.Offset)
	}
	if err := f.file.Truncate(f.state.Offset); err != nil {
		return err
	}
	f.offset = f.state.Offset
	_, err = f.file.Seek(f.offset, io.SeekStart)
	return err
}

// Write appends to the file, compressed if the state says so.
func (f *exportFile) Write(b []byte) (int, error) {
	if f.compressor == nil {
		var err error
		switch f.state.Compression {
		case "gzip":
			f.compressor = gzip.NewWriter(uncompressed{f})
		case "zstd":
			// One core: a server may run on the same machine.
			f.compressor, err = zstd.NewWriter(uncompressed{f}, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
		default:
			return uncompressed{f}.Write(b)
		}
		if err != nil {
			return 0, err
		}
	}
	n, err := f.compressor.Write(b)
	f.broken = f.broken || err != nil
	return n, err
}

// uncompressed is the file below the compression.
type uncompressed struct{ f *exportFile }

func (p uncompressed) Write(b []byte) (int, error) {
	n, err := p.f.buffer.Write(b)
	p.f.offset += int64(n)
	p.f.broken = p.f.broken || err != nil
	return n, err
}

// save syncs the file and then saves its state. Compressed data ends here and continues as another member (gzip) or frame (zstd), which all
// readers of these formats concatenate.
func (f *exportFile) save() error {
	if f.broken {
		return errors.New("a write had failed")
	}
	if f.compressor != nil {
		if err := f.compressor.Close(); err != nil {
			f.broken = true
			return err
		}
		f.compressor = nil
	}
	if err := f.buffer.Flush(); err != nil {
		f.broken = true
		return err
	}
	if f.file == nil {
		return nil
	}
	if err := f.file.Sync(); err != nil {
		f.broken = true
		return err
	}
	f.state.Offset = f.offset
	text, err := json.Marshal(&f.state)
	if err != nil {
		return err
	}
	return writeDurably(f.statePath(), text)
}

// writeDurably replaces a file's content: after a crash, it has the old or the new content.
func writeDurably(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// finish renames the file, which must be complete and saved.
func (f *exportFile) finish() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return err
	}
	if err := os.Rename(f.part(), f.path); err != nil {
		return err
	}
	if err := os.Remove(f.statePath()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// close closes an unfinished file.
func (f *exportFile) close() {
	if f.file != nil {
		_ = f.file.Close() // what is saved is durable
	}
}

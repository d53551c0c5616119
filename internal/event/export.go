package event

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/uuid"
)

// FaultUnreadable is the kind of a fault of the export rather than of the log: a line that is no event, or a file that is cut off.
const FaultUnreadable = "export_unreadable"

const (
	// maxExportLine bounds an event's line: its bytes once as JSON, and once as a string, in which one of them may become six.
	maxExportLine = 8*MaxBytes + 64<<10
	// exportBuffer is what is read at a time.
	exportBuffer = 256 << 10
	// maxExportWindow bounds what a zstd file may make the reader keep; files that a server sends need less.
	maxExportWindow = 128 << 20
)

// ErrNotAnExport: the file does not hold events, one a line.
var ErrNotAnExport = errors.New("this is no export in NDJSON, as it comes or packed by gzip or zstd")

// CheckExport checks the chain of an export: NDJSON as AppendLine writes it, plain or compressed by gzip or zstd. An export that begins
// with the first event of log is checked from the log's genesis on; one from the middle, or of an unknown log (the zero UUID), from its
// second event on, or from its first if the head just before it was noted. Faults of the export are in the Checked; the error is
// ErrNotAnExport or the reader's.
func CheckExport(r io.Reader, log uuid.UUID, noted ...Noted) (Checked, error) {
	lines, closeLines, err := unpack(r)
	if err != nil {
		return Checked{}, err
	}
	defer closeLines()
	x := exportCheck{log: log, noted: noted}
	for number := int64(1); ; number++ {
		line, err := x.read(lines)
		switch {
		case errors.Is(err, io.EOF):
			return x.finish(), nil
		case err != nil && isBroken(err):
			x.fault("line %d: the file breaks off, or was damaged, in its middle", number)
			return x.finish(), nil
		case errors.Is(err, errLongLine):
			x.fault("line %d is longer than any event's", number)
			return x.finish(), nil
		case err != nil:
			return Checked{}, fmt.Errorf("reading an export: %w", err)
		}
		e, err := ParseLine(line)
		switch {
		case err != nil && number == 1 && !bytes.HasPrefix(line, []byte(`{"sequence":`)):
			return Checked{}, ErrNotAnExport
		case err != nil:
			x.fault("line %d is no event as it was exported: %v", number, err)
			continue
		}
		x.begin(e.Sequence)
		x.checker.Add(&e)
	}
}

// exportCheck is an export that is being checked.
type exportCheck struct {
	log     uuid.UUID
	noted   []Noted
	checker *Checker // nil before the first event
	line    []byte   // a long one, put together
}

// begin makes the checker when the first event shows where the export begins.
func (x *exportCheck) begin(sequence int64) {
	switch {
	case x.checker != nil:
	case sequence <= 1 && !x.log.IsZero():
		x.checker = NewChecker(x.log, x.noted...)
	default:
		x.checker = NewPartChecker(x.noted...)
	}
}

// fault reports what is wrong at the event that should come next.
func (x *exportCheck) fault(format string, args ...any) {
	x.begin(1)
	x.checker.fault(FaultUnreadable, x.checker.result.Through+1, format, args...)
}

func (x *exportCheck) finish() Checked {
	if x.checker == nil { // no event: the export of an empty log
		x.begin(1)
	}
	return x.checker.Finish(nil)
}

var errLongLine = errors.New("a line is too long")

// read returns the next line without its end. A last line without one was cut off.
func (x *exportCheck) read(in *bufio.Reader) ([]byte, error) {
	x.line = x.line[:0]
	for {
		part, err := in.ReadSlice('\n')
		switch {
		case err == nil && len(x.line) == 0:
			return part[:len(part)-1], nil
		case err == nil:
			x.line = append(x.line, part...)
			return x.line[:len(x.line)-1], nil
		case errors.Is(err, io.EOF) && len(x.line)+len(part) > 0:
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(x.line) > maxExportLine:
			return nil, errLongLine
		}
		x.line = append(x.line, part...)
	}
}

// unpack looks at a file's first bytes, which tell how it is packed.
func unpack(r io.Reader) (_ *bufio.Reader, closer func(), err error) {
	in := bufio.NewReaderSize(r, exportBuffer)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("reading an export: %w", err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, ErrNotAnExport
		}
		return bufio.NewReaderSize(unpacked, exportBuffer), func() { _ = unpacked.Close() }, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		unpacked, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxExportWindow))
		if err != nil {
			return nil, nil, ErrNotAnExport
		}
		return bufio.NewReaderSize(unpacked, exportBuffer), unpacked.Close, nil
	}
	return in, func() {}, nil
}

// isBroken tells a file that is cut off or damaged from one that cannot be read.
func isBroken(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) ||
		errors.As(err, &corrupt) ||
		errors.Is(err, zstd.ErrMagicMismatch) || errors.Is(err, zstd.ErrCRCMismatch) || errors.Is(err, zstd.ErrWindowSizeExceeded) ||
		errors.Is(err, zstd.ErrReservedBlockType) || errors.Is(err, zstd.ErrBlockTooSmall) ||
		errors.Is(err, zstd.ErrCompressedSizeTooBig) || errors.Is(err, zstd.ErrUnexpectedBlockSize)
}

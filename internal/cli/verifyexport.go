package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
)

// maxLineBytes bounds a line of an export: an event of the largest size, all of it escaped, once as data and once as raw.
const maxLineBytes = 8 * eventlog.MaxEventBytes

// verifyExport computes the chain of an export, without a server.
func (f *verifyFlags) verifyExport(cmd *cobra.Command, log string, noted *checkpoint.Checkpoint) error {
	if f.views != "" {
		return errors.New("--views needs a server: an export holds events and no state")
	}
	var id db.UUID
	if log != "" {
		var err error
		if id, err = db.ParseUUID(log); err != nil {
			return fmt.Errorf("LOG must be the log's id here, such as 018f4f3c-0000-7000-8000-000000000001, and not %q: an export does not know names", log)
		}
	}
	if noted != nil {
		if id.Valid && id != noted.LogID {
			return fmt.Errorf("the checkpoint is of log %s, not of %s", noted.LogID, id)
		}
		id = noted.LogID
	}
	in, closeIn, err := openExport(cmd, f.export)
	if err != nil {
		return err
	}
	defer closeIn()
	began := time.Now()
	checked, err := checkExport(in, id, noted)
	if err != nil {
		return fmt.Errorf("%s: %w", f.export, err)
	}
	report := client.Verification{
		OK: checked.Wrong == 0, From: checked.From, To: checked.Through, Hash: hex.EncodeToString(checked.Hash[:]), Events: checked.Events,
		Bytes: checked.Bytes, Wrong: checked.Wrong, Faults: []client.Fault{}, Views: []client.Verdict{}, Seconds: time.Since(began).Seconds(), Finished: time.Now().UTC(),
	}
	if id.Valid {
		report.LogID = id.String()
	}
	for _, fault := range checked.Faults {
		report.Faults = append(report.Faults, client.Fault(fault))
	}
	if f.asJSON {
		err = writeIndented(cmd.OutOrStdout(), report)
	} else {
		writeVerification(cmd.OutOrStdout(), &report, noted)
		if !checked.Anchor && checked.Events > 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "note   what comes before event %d is not known here, so that event's own link was not checked\n", checked.From)
		}
	}
	if err == nil && !report.OK {
		return errReported
	}
	return err
}

// checkExport follows the chain of an export's lines. id is the log's, not Valid where nobody knows it: the first link is not checked then,
// nor is it in a part of a log.
func checkExport(in *bufio.Reader, id db.UUID, noted *checkpoint.Checkpoint) (eventlog.Checked, error) {
	var heads []eventlog.Noted
	if noted != nil {
		heads = append(heads, eventlog.Noted{Sequence: noted.Sequence, Hash: noted.Hash})
	}
	var checker *eventlog.Checker
	var line []byte
	for number := 1; ; number++ {
		var err error
		line, err = readLine(in, line[:0])
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return eventlog.Checked{}, fmt.Errorf("line %d: %w", number, err)
		}
		e, err := eventlog.ParseLine(line)
		if err != nil {
			return eventlog.Checked{}, fmt.Errorf("line %d: %w", number, err)
		}
		if checker == nil {
			checker = eventlog.NewPartChecker(heads...)
			if id.Valid && e.Sequence == 1 {
				checker = eventlog.NewChecker(id, heads...)
			}
		}
		checker.Add(&e)
	}
	if checker == nil {
		checker = eventlog.NewPartChecker(heads...)
		if id.Valid {
			checker = eventlog.NewChecker(id, heads...)
		}
	}
	return checker.Finish(nil), nil
}

// readLine reads a line without its end. A last line without an end is a torn one.
func readLine(in *bufio.Reader, line []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLineBytes:
			return line, fmt.Errorf("it has more than %d bytes: is this an export in NDJSON?", maxLineBytes)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, errors.New("the file breaks off in the middle of it: the export was not finished")
		case errors.Is(err, io.ErrUnexpectedEOF):
			return line, errors.New("the file breaks off in the middle of it: the export was not finished")
		case err != nil:
			return line, err
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

// openExport opens a file whatever it is compressed by, as its first bytes tell.
func openExport(cmd *cobra.Command, name string) (in *bufio.Reader, closeIn func(), err error) {
	const bufferBytes = 1 << 16
	closeIn = func() {}
	file := cmd.InOrStdin()
	if name != "-" {
		opened, err := os.Open(name) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, nil, fmt.Errorf("opening the export: %w", err)
		}
		file, closeIn = opened, func() { _ = opened.Close() } // it was only read
	}
	in = bufio.NewReaderSize(file, bufferBytes)
	magic, _ := in.Peek(4) // a shorter file is not compressed
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			closeIn()
			return nil, nil, fmt.Errorf("opening the export: %w", err)
		}
		in = bufio.NewReaderSize(unpacked, bufferBytes)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		unpacked, err := zstd.NewReader(in)
		if err != nil {
			closeIn()
			return nil, nil, fmt.Errorf("opening the export: %w", err)
		}
		closeFile := closeIn
		closeIn = func() { unpacked.Close(); closeFile() }
		in = bufio.NewReaderSize(unpacked, bufferBytes)
	}
	return in, closeIn, nil
}

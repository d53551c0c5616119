package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// verifyExport checks the hash chain of an export, without a server.
func (f *verifyFlags) verifyExport(cmd *cobra.Command, log string, noted *checkpoint.Checkpoint) error {
	if f.views != "" {
		return usagef("--views needs a server: an export holds events and no state")
	}
	var id uuid.UUID
	if log != "" {
		var err error
		if id, err = uuid.Parse(log); err != nil {
			return usagef("LOG must be the log's id here, such as 018f4f3c-0000-7000-8000-000000000001, and not %q: "+
				"an export does not know names", log)
		}
	}
	if noted != nil {
		if !id.IsZero() && id != noted.LogID {
			return fmt.Errorf("the checkpoint is of log %s, not of %s", noted.LogID, id)
		}
		id = noted.LogID
	}
	in := cmd.InOrStdin()
	if f.export != "-" {
		file, err := os.Open(f.export)
		if err != nil {
			return fmt.Errorf("opening the export: %w", err)
		}
		defer func() { _ = file.Close() }() // only read
		in = file
	}
	var heads []event.Noted
	if noted != nil {
		heads = append(heads, event.Noted{Sequence: noted.Sequence, Hash: noted.Hash})
	}
	began := time.Now()
	checked, err := event.CheckExport(in, id, heads...)
	if err != nil {
		return fmt.Errorf("%s: %w", f.export, err)
	}
	report := tally.LogVerification{
		OK: checked.Wrong == 0, From: checked.From, To: checked.Through, Hash: hex.EncodeToString(checked.Hash[:]), Events: checked.Events,
		Bytes: checked.Bytes, Wrong: checked.Wrong, Faults: []tally.LogFault{}, Views: []tally.ViewVerification{},
		Seconds: time.Since(began).Seconds(), Finished: time.Now().UTC(),
	}
	if !id.IsZero() {
		report.LogID = id.String()
	}
	for _, fault := range checked.Faults {
		report.Faults = append(report.Faults, tally.LogFault(fault))
	}
	err = f.print(cmd, &report, func(w io.Writer) {
		writeVerification(w, &report, noted)
		writeUnknown(w, &checked)
	})
	if err == nil && !report.OK {
		return errIncomplete
	}
	return err
}

// writeUnknown prints what the check of an export cannot prove.
func writeUnknown(w io.Writer, checked *event.Checked) {
	switch {
	case checked.Events == 0 || checked.Anchor || checked.Linked:
	case checked.From == 1:
		fmt.Fprintln(w, "note   which log this is was not checked, nor its first event's hash: name the log's id, or a checkpoint")
	default:
		fmt.Fprintf(w, "note   this is a part of a log: the hash before event %d is not known here, "+
			"so what that event says was not checked\n", checked.From)
	}
}

package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/uuid"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// maxKeyBytes bounds a file that holds a verifier key.
const maxKeyBytes = 4096

// verifyFlags select what to verify.
type verifyFlags struct {
	conn       connection
	views      string
	checkpoint string
	key        string
	export     string
	out        printer
}

func verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [LOG]",
		Short: "Check a log's chain and views, or an export of it",
		Long: "Has the server read a log's raw rows again: that no event is missing, moved or changed since it was recorded,\n" +
			"and that every view's state is what the events give. With --checkpoint, also that the log leads to the head that\n" +
			"was signed then.\n\n" +
			"With --export, no server is asked: the chain is computed from a file that tally events export wrote. LOG is the log's\n" +
			"id then; a checkpoint names it too. Fails when something is not as it should be.",
		Example: "  tally verify acme\n  tally verify acme --checkpoint acme-2025-03.checkpoint --verifier-key verifier.txt\n" +
			"  tally verify --export acme.ndjson.zst --checkpoint acme-2025-03.checkpoint --verifier-key verifier.txt",
		RunE: f.run,
	}
	f.conn.add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&f.views, "views", "", "views to fold again: all, none, or names with commas between them; all when not given")
	flags.StringVar(&f.checkpoint, "checkpoint", "", "file with a checkpoint to hold the log against; - for standard input")
	flags.StringVar(&f.key, "verifier-key", "", "verifier key of whoever signed the checkpoint, or a file that holds it")
	flags.StringVar(&f.export, "export", "", "file with an export in NDJSON, plain or compressed by gzip or zstd; - for standard input")
	f.out.addOutput(cmd)
	return cmd
}

func (f *verifyFlags) run(cmd *cobra.Command, args []string) error {
	noted, err := f.noted(cmd)
	if err != nil {
		return err
	}
	log := ""
	if len(args) > 0 {
		log = args[0]
	}
	if f.export != "" {
		return f.verifyExport(cmd, log, noted)
	}
	if log == "" {
		return usagef("LOG is missing: %s", cmd.UseLine())
	}
	return f.conn.withClient(func(cmd *cobra.Command, _ []string, c *tally.Client) error {
		return f.verifyLog(cmd, c, log, noted)
	})(cmd, args)
}

// noted reads the checkpoint and checks its signature. It returns nil without --checkpoint.
func (f *verifyFlags) noted(cmd *cobra.Command) (*checkpoint.Checkpoint, error) {
	if f.checkpoint == "" {
		if f.key != "" {
			return nil, usagef("--verifier-key comes without --checkpoint: name the file that the key's owner has signed")
		}
		return nil, nil //nolint:nilnil // no checkpoint, and no error
	}
	if f.key == "" {
		return nil, usagef("--verifier-key is missing: say whose signature under the checkpoint you trust, " +
			"as tally keygen printed the key")
	}
	signed, err := readAtMost(cmd, f.checkpoint, checkpoint.MaxBytes)
	if err != nil {
		return nil, err
	}
	key := f.key
	if _, err := os.Stat(key); err == nil {
		text, err := readAtMost(cmd, key, maxKeyBytes)
		if err != nil {
			return nil, err
		}
		key = string(text)
	} else if !errors.Is(err, fs.ErrNotExist) && !strings.Contains(key, "+") {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	noted, err := checkpoint.Open(signed, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.checkpoint, err)
	}
	return &noted, nil
}

// verifyLog has a server verify a log, against the checkpoint unless that is nil.
func (f *verifyFlags) verifyLog(cmd *cobra.Command, c *tally.Client, log string, noted *checkpoint.Checkpoint) error {
	options := tally.VerifyLogOptions{Views: f.views}
	if noted != nil {
		options.Sequence, options.Hash = noted.Sequence, hex.EncodeToString(noted.Hash[:])
	}
	meter := newPace(cmd)
	options.Progress = meter.set
	report, err := c.VerifyLog(cmd.Context(), log, &options)
	meter.finish()
	if err != nil {
		return fmt.Errorf("verifying %s: %w", log, err)
	}
	if noted != nil {
		if id, err := uuid.Parse(report.LogID); err != nil || id != noted.LogID {
			return fmt.Errorf("the checkpoint is of log %s, and %s is log %s", noted.LogID, log, report.LogID)
		}
	}
	err = f.print(cmd, &report, func(w io.Writer) { writeVerification(w, &report, noted) })
	if err == nil && !report.OK {
		return errIncomplete
	}
	return err
}

// finding is something that was checked: the chain, or a view.
type finding struct {
	what, detail string
	ok           bool
}

var findingTable = table[finding]{
	{"checked", func(f finding) any { return f.what }},
	{"ok", func(f finding) any { return f.ok }},
	{"detail", func(f finding) any { return f.detail }},
}

// print prints a verification; people writes it for them.
func (f *verifyFlags) print(cmd *cobra.Command, r *tally.LogVerification, people func(io.Writer)) error {
	var found []finding
	if r.Wrong == 0 {
		found = append(found, finding{what: "chain", ok: true})
	}
	for _, fault := range r.Faults {
		found = append(found, finding{what: "chain", detail: fault.Kind + ": " + fault.Detail})
	}
	for _, v := range r.Views {
		found = append(found, finding{what: "view " + v.View, ok: v.OK, detail: v.Detail})
	}
	return findingTable.report(cmd, &f.out, r, seqOf(found, nil), func(w io.Writer) error {
		people(w)
		return nil
	})
}

// paceMeter shows the progress of a verification, part by part.
type paceMeter struct {
	cmd   *cobra.Command
	what  string
	bar   *progress
	began time.Time
}

func newPace(cmd *cobra.Command) *paceMeter { return &paceMeter{cmd: cmd} }

func (m *paceMeter) set(what string, done, total int64) {
	if what != m.what || m.bar == nil {
		m.finish()
		m.what, m.began = what, time.Now()
		m.bar = newProgress(what, ifTerminal(os.Stderr), m.cmd.ErrOrStderr())
	}
	rate := float64(done) / max(time.Since(m.began).Seconds(), 0.001)
	left := time.Duration(-1)
	if rate > 0 && total >= done {
		left = time.Duration(float64(total-done) / rate * float64(time.Second))
	}
	m.bar.set(done, total, rate, left)
}

func (m *paceMeter) finish() {
	if m.bar != nil {
		m.bar.finish()
	}
}

func writeVerification(w io.Writer, r *tally.LogVerification, noted *checkpoint.Checkpoint) {
	name := r.Name
	if name == "" {
		name = "the export"
	}
	fmt.Fprintf(w, "%s: %s events, %s bytes, %d to %d, read in %s\n", name, thousands(r.Events), thousands(r.Bytes), r.From, r.To,
		time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond))
	for _, fault := range r.Faults {
		fmt.Fprintf(w, "WRONG  %s: %s\n", fault.Kind, oneLine(fault.Detail))
	}
	if listed := int64(len(r.Faults)); r.Wrong > listed {
		fmt.Fprintf(w, "WRONG  and %s more\n", thousands(r.Wrong-listed))
	}
	if r.Wrong == 0 {
		fmt.Fprintln(w, "ok     the chain is whole")
		if noted != nil {
			fmt.Fprintf(w, "ok     it leads to the head that was signed at %s\n", thousands(noted.Sequence))
		}
	}
	for _, v := range r.Views {
		switch {
		case v.OK && v.Audit == nil:
			fmt.Fprintf(w, "-      view %s: %s\n", v.View, oneLine(v.Detail))
		case v.OK:
			fmt.Fprintf(w, "ok     view %s version %d: %s events folded again, %s keys compared\n", v.View,
				v.Audit.Version, thousands(v.Audit.Events), thousands(v.Audit.Keys))
		case v.Audit == nil:
			fmt.Fprintf(w, "WRONG  view %s could not be folded again: %s\n", v.View, oneLine(v.Detail))
		default:
			fmt.Fprintf(w, "WRONG  view %s version %d is not what the events give\n", v.View, v.Audit.Version)
			if d := v.Audit.Difference; d != nil {
				fmt.Fprintf(w, "       %s\n", difference(d))
			}
		}
	}
	if r.OK {
		fmt.Fprintf(w, "ok     %s\n", name)
	}
}

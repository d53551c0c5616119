package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/checkpoint"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func checkpointCommand() *cobra.Command {
	var conn connection
	var out string
	cmd := &cobra.Command{
		Use:   "checkpoint LOG",
		Short: "Get a log's head, signed by the server",
		Long: "Writes the log's head as a signed note: its id, its last sequence, the hash of everything up to that, and when\n" +
			"it was recorded. Keep it away from the server: tally verify --checkpoint holds the log, or an export of it,\n" +
			"against it at any time.",
		Example: "  tally checkpoint acme --file acme-2025-03.checkpoint",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			signed, err := c.GetCheckpoint(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("getting a checkpoint of %s: %w", args[0], err)
			}
			if out == "-" {
				_, err = cmd.OutOrStdout().Write(signed)
				return err
			}
			return writeNew(out, signed, 0o644)
		}),
	}
	conn.add(cmd.Flags())
	cmd.Flags().StringVar(&out, "file", "-", "file to write, which must not be there yet; - for standard output")
	return cmd
}

// writeNew creates a file, and fails if it exists: a lost checkpoint or key cannot be made again.
func writeNew(name string, content []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // the file that the user names
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: name another file, or move it away", name)
	} else if err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func keygenCommand() *cobra.Command {
	var name, out string
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key that signs checkpoints",
		Long: "Makes an Ed25519 key pair. The private key goes into a file that only its owner can read: start servers with\n" +
			"--signing-key, and keep a copy. The verifier key is printed: publish it where your customers trust it, such as\n" +
			"in your contract.",
		Example: "  tally keygen --name billing.example.com --file signing.key",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("--file is missing: name a file for the private key")
			}
			verifier, err := makeKey(name, out)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), verifier)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "who signs, such as billing.example.com; it is part of every signature")
	cmd.Flags().StringVar(&out, "file", "", "file for the private key, which must not be there yet")
	return cmd
}

// makeKey writes a new private key, and returns the key that verifies its signatures.
func makeKey(name, file string) (verifier string, err error) {
	private, verifier, err := checkpoint.GenerateKey(name)
	if err != nil {
		return "", fmt.Errorf("making a key: %w", err)
	}
	return verifier, writeNew(file, []byte(private+"\n"), 0o600)
}

// readAtMost reads a small file, or standard input for "-".
func readAtMost(cmd *cobra.Command, name string, limit int64) ([]byte, error) {
	from := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, fmt.Errorf("opening a file: %w", err)
		}
		defer func() { _ = file.Close() }() // it was only read
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes: is it another file?", name, limit)
	}
	return text, nil
}

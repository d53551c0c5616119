package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func moduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "module",
		Short: "Upload and list modules of views, to be deployed by their SHA-256",
		Long: "A module is uploaded once, and named by its SHA-256 in every deployment of it. tally view deploy --module does both.\n" +
			"Of the modules that no view uses, a tenant's last 32 are kept.",
		Example: "  tally module put view.wasm\n  tally module show view.wasm\n  tally module list",
	}
	cmd.AddCommand(modulePutCommand(), moduleShowCommand(), moduleListCommand())
	return cmd
}

var moduleTable = table[tally.Module]{
	{"module", func(m tally.Module) any { return m.Module }},
	{"ready", func(m tally.Module) any { return m.Ready }},
	{"bytes", func(m tally.Module) any { return count(m.Bytes) }},
	{"deployed", func(m tally.Module) any { return m.Deployed }},
	{"created_at", func(m tally.Module) any { return m.CreatedAt.In(time.UTC) }},
}

func moduleListCommand() *cobra.Command {
	return listCommand(listing[tally.Module]{
		use: "list", short: "List the modules that the tenant uploaded or deployed",
		example: "  tally module list\n  tally module list --all --output csv",
		what:    "listing modules", table: moduleTable,
		find: func(ctx context.Context, _ []string, c *tally.Client) iter.Seq2[tally.Module, error] {
			return c.Modules(ctx)
		},
	})
}

func modulePutCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:     "put FILE",
		Short:   "Upload a module, and print its SHA-256",
		Long:    "Uploads a module unless the server has it. It is checked as by a deploy.",
		Example: "  tally module put view.wasm\n  tally view deploy acme totals --module \"$(tally module put view.wasm)\"",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			code, err := readModule(args[0])
			if err != nil {
				return err
			}
			put, err := c.UploadModule(cmd.Context(), code)
			if err != nil {
				return fmt.Errorf("uploading %s: %w", args[0], err)
			}
			return moduleTable.oneAs(cmd, &out, put, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, put.Module)
				return err
			})
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

func moduleShowCommand() *cobra.Command {
	var conn connection
	var out printer
	cmd := &cobra.Command{
		Use:     "show MODULE",
		Short:   "Show whether the server has a module: by its file, or its SHA-256",
		Example: "  tally module show view.wasm",
		RunE: conn.withClient(func(cmd *cobra.Command, args []string, c *tally.Client) error {
			digest, err := digestOf(args[0])
			if err != nil {
				return err
			}
			found, err := c.GetModule(cmd.Context(), digest)
			if err != nil {
				return fmt.Errorf("looking for the module %s: %w", args[0], err)
			}
			return moduleTable.one(cmd, &out, found)
		}),
	}
	conn.add(cmd.Flags())
	out.addOutput(cmd)
	return cmd
}

// isDigest reports whether a text is a SHA-256 in hexadecimal, and no file.
func isDigest(text string) bool {
	decoded, err := hex.DecodeString(text)
	if err != nil || len(decoded) != sha256.Size {
		return false
	}
	_, err = os.Stat(text)
	return errors.Is(err, fs.ErrNotExist)
}

// digestOf returns the SHA-256 of a module that is named by its file, or by that.
func digestOf(module string) (string, error) {
	if isDigest(module) {
		return module, nil
	}
	code, err := readModule(module)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(code)
	return hex.EncodeToString(sum[:]), nil
}

package wasm

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Codes of a RefusedError. They are part of the HTTP API and never change their meaning.
const (
	CodeNotWasm            = "not_wasm"            // not a WebAssembly module
	CodeInvalidModule      = "invalid_module"      // a module that breaks the WebAssembly specification
	CodeMissingExport      = "missing_export"      // an export that the ABI requires is not there
	CodeWrongSignature     = "wrong_signature"     // an export or import of another type than the ABI's
	CodeUnknownImport      = "unknown_import"      // an import that does not exist
	CodeTooLarge           = "too_large"           // a limit on size
	CodeUnsupportedFeature = "unsupported_feature" // valid WebAssembly that views may not use
	CodeInitFailed         = "init_failed"         // making an instance failed
	CodeBadConfig          = "bad_config"          // the configuration is not acceptable
	CodeCompileTooSlow     = "compile_too_slow"    // compiling took more processor time than a module of its size may take
	CodeCompileTooLarge    = "compile_too_large"   // compiling took more memory
)

// RefusedError is the reason why a module or a configuration cannot be deployed.
type RefusedError struct {
	Code   string // one of the Code constants
	Reason string // what was found and what is allowed
}

func (e *RefusedError) Error() string { return "module refused (" + e.Code + "): " + e.Reason }

func refusef(code, format string, args ...any) error {
	return &RefusedError{Code: code, Reason: printable(fmt.Sprintf(format, args...), maxMessageBytes)}
}

// Kinds of a ViewError.
const (
	KindTrap    = "trap"    // the guest trapped or broke the ABI
	KindRefused = "refused" // the guest returned a negative result; the message is the text that it passed to fail
	KindLimit   = "limit"   // the guest broke a limit; the message names it, what was found and what is allowed
)

// ViewError is the view's own fault: the same view fails in the same way on the same input and state. No other error of
// this package implies anything about the view.
type ViewError struct {
	Kind    string // one of the Kind constants
	Message string // valid UTF-8 without NUL
}

func (e *ViewError) Error() string { return "view error (" + e.Kind + "): " + e.Message }

func trapf(format string, args ...any) error {
	return &ViewError{Kind: KindTrap, Message: printable(fmt.Sprintf(format, args...), maxMessageBytes)}
}

func limitf(format string, args ...any) error {
	return &ViewError{Kind: KindLimit, Message: printable(fmt.Sprintf(format, args...), maxMessageBytes)}
}

// errClosed is returned for work on a closed engine or session.
var errClosed = errors.New("closed")

// maxMessageBytes bounds the text of an error, which is stored with the view and repeated in responses: names of functions
// in it are the guest's choice.
const maxMessageBytes = 2 << 10

// printable makes a guest's text fit to store and show: valid UTF-8 without NUL, at most limit bytes.
func printable(text string, limit int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// trapError turns wazero's error of a call into a ViewError if the guest trapped. Any other error, such as a Go panic in a
// host function or a closed engine, is not the guest's doing and is only wrapped. output is the guest's last output.
func trapError(call string, err error, output string) error {
	reason, trace, _ := strings.Cut(err.Error(), "\n")
	reason, trapped := strings.CutPrefix(reason, "wasm error: ")
	if !trapped && reason != "stack overflow" { // this one comes without prefix or trace
		return fmt.Errorf("call %s: %w", call, err)
	}
	if _, frames, ok := strings.Cut(trace, "\n\t"); ok {
		reason += " in " + strings.ReplaceAll(frames, "\n\t", " < ")
	}
	return trapf("%s: %s%s", call, output, reason)
}

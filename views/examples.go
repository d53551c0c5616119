package views

import _ "embed"

var (
	//go:embed dist/kits/c_monthly_totals.wasm
	cExample []byte
	//go:embed dist/kits/rust_monthly_totals.wasm
	rustExample []byte
	//go:embed dist/kits/typescript_monthly_totals.wasm
	typescriptExample []byte
)

// Example returns the kit's worked example, which does what monthly_totals does, compiled. There is none for Go: a Go program is too
// large to be carried along, and is quickly built from the files of a project. The bytes are shared: do not change them.
func (k Kit) Example() []byte {
	return map[string][]byte{"c": cExample, "rust": rustExample, "typescript": typescriptExample}[k.Language]
}

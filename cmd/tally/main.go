// Command tally is Tallystick: the server, the development server and the tools around them.
package main

import (
	"os"

	"github.com/tallystick/tallystick/internal/cli"
)

func main() { os.Exit(cli.Main()) }

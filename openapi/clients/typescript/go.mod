// No Go is here: this keeps the go command out of node_modules, where some is.
module github.com/tallystick/tallystick/openapi/clients/typescript

go 1.26

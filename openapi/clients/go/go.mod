module github.com/tallystick/tallystick/openapi/clients/go

go 1.25.0

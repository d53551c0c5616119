package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Statuses are the statuses of all codes.
var Statuses = statuses

// Operations are all operations, also those that the description leaves out.
func Operations() []*huma.Operation {
	api := &collecting{API: humago.New(http.NewServeMux(), config())}
	(&server{}).register(api)
	return api.all
}

// collecting is a huma.OperationDocumenter.
type collecting struct {
	huma.API
	all []*huma.Operation
}

func (c *collecting) DocumentOperation(operation *huma.Operation) {
	c.all = append(c.all, operation)
	if !operation.Hidden {
		c.OpenAPI().AddOperation(operation)
	}
}

// Describe returns the description.
func Describe() *huma.OpenAPI {
	api := humago.New(http.NewServeMux(), config())
	(&server{}).register(api)
	return api.OpenAPI()
}

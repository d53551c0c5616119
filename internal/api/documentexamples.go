package api

import (
	_ "embed" // the examples
	"encoding/json"
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The examples are by operation. A test sends the requests, in an order in which all succeed, and has answers of the same form.
var (
	//go:embed examples/requests.json
	requestExamples []byte
	//go:embed examples/answers.json
	answerExamples []byte
)

// describeExamples adds the examples to the description.
func describeExamples(api *huma.OpenAPI) {
	requests, answers := examples(requestExamples), examples(answerExamples)
	for _, operation := range operations(api) {
		if example, ok := requests[operation.OperationID]; ok {
			operation.RequestBody.Content[mediaJSON].Example = example
		}
		example, ok := answers[operation.OperationID]
		for status, response := range operation.Responses {
			_, made := operation.Responses["201"] // the example is of that, and 200 says that nothing was
			if media := response.Content[mediaJSON]; ok && strings.HasPrefix(status, "2") && media != nil && (status == "201" || !made) {
				copied := *media // 200 and 201 may share it
				copied.Example = example
				response.Content = maps.Clone(response.Content)
				response.Content[mediaJSON] = &copied
			}
		}
	}
}

func examples(text []byte) (byOperation map[string]json.RawMessage) {
	if err := json.Unmarshal(text, &byOperation); err != nil {
		panic(err) // it is embedded
	}
	return byOperation
}

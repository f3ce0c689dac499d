// Holds SARIF logs against the schema of SARIF 2.1.0: a JSON list of logs comes in, a JSON list of what is wrong with each goes out.
package main

import (
	"encoding/json"
	"os"
	"strings"

	// For its copy of the schema, which it does not export.
	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/xeipuuv/gojsonschema"
)

// The first word is the file of go-sarif in which the schema stands as a constant.
func main() {
	source, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	schema, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(strings.Split(string(source), "`")[1]))
	if err != nil {
		panic(err)
	}
	var logs []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&logs); err != nil {
		panic(err)
	}
	wrong := make([][]string, len(logs))
	for index, log := range logs {
		wrong[index] = []string{}
		result, err := schema.Validate(gojsonschema.NewBytesLoader(log))
		if err != nil {
			panic(err)
		}
		for _, problem := range result.Errors() {
			wrong[index] = append(wrong[index], problem.String())
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(wrong); err != nil {
		panic(err)
	}
}

// Reads YAML texts as kubectl 1.34 does: a JSON list of texts comes in, a JSON list of what they say goes out.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type reading struct {
	JSON  string `json:"json"`
	Error string `json:"error"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	readings := make([]reading, len(texts))
	for index, text := range texts {
		value, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			readings[index].Error = err.Error()
			continue
		}
		readings[index].JSON = string(value)
	}
	if err := json.NewEncoder(os.Stdout).Encode(readings); err != nil {
		panic(err)
	}
}

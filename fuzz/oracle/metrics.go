package main

import (
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type sample struct {
	Help   string            `json:"help"`
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
}

// exposition reads Prometheus' text with one gauge; nil where it is none.
func exposition(text string) *sample {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil || len(families) != 1 {
		return nil
	}
	for _, family := range families {
		if len(family.Metric) != 1 || family.Metric[0].Gauge == nil {
			return nil
		}
		read := sample{Help: family.GetHelp(), Labels: map[string]string{}}
		for _, label := range family.Metric[0].Label {
			read.Labels[label.GetName()] = label.GetValue()
		}
		read.Value = strconv.FormatFloat(family.Metric[0].Gauge.GetValue(), 'g', -1, 64)
		return &read
	}
	return nil
}
